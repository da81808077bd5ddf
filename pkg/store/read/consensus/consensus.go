package consensus

import (
	"context"
	_ "embed"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// SQL of this package's queries.
var (
	//go:embed progress.sql
	progressSQL string
	//go:embed layers_asc.sql
	layersAscSQL string
	//go:embed layers_desc.sql
	layersDescSQL string
)

// Tip is how far consensus is.
type Tip struct {
	// Processed is the last tallied layer, Latest the last one that anything
	// was heard of; 0 if there is none.
	Processed, Latest wire.LayerID
}

// Progress reads how far consensus is.
func Progress(ctx context.Context, q store.Querier) (Tip, error) {
	var processed, latest int64
	if err := q.QueryRow(ctx, progressSQL).Scan(&processed, &latest); err != nil {
		return Tip{}, fmt.Errorf("read progress: %w", err)
	}
	return Tip{wire.LayerID(processed), wire.LayerID(latest)}, nil
}

// Layer is a layer as users see it, of consensus's and state's rows.
type Layer struct {
	ID        wire.LayerID
	Processed bool
	// Aggregated and StateRoot are zero where there is none.
	Aggregated wire.Hash32
	StateRoot  wire.Hash32
	// Applied is zero for an empty layer and for one that is not applied.
	Applied wire.BlockID
	// HasBlock says that at least one block of the layer is stored.
	HasBlock bool
}

// Page is a part of a list.
type Page struct {
	// Limit is the most rows, Offset how many are left out before them.
	Limit, Offset int64
	// Descending turns the list around.
	Descending bool
}

// maxOffset keeps sums of offset and limit in range; no table has as many rows.
const maxOffset = math.MaxInt64 >> 1

// Layers lists layers from to to, both included. A layer comes once for each of
// its stored blocks, at least once (spec 09 §3.3).
func Layers(ctx context.Context, q store.Querier, from, to wire.LayerID, p Page) ([]Layer, error) {
	sql := layersAscSQL
	if p.Descending {
		sql = layersDescSQL
	}
	rows, err := q.Query(ctx, sql, pgx.QueryExecModeCacheDescribe, int64(from), int64(to), p.Limit, min(p.Offset, maxOffset))
	if err != nil {
		return nil, fmt.Errorf("read layers: %w", err)
	}
	out, err := pgx.CollectRows(rows, scanLayer)
	if err != nil {
		return nil, fmt.Errorf("read layers: %w", err)
	}
	return out, nil
}

func scanLayer(row pgx.CollectableRow) (l Layer, err error) {
	var id int64
	var aggregated, applied, root []byte
	if err = row.Scan(&id, &l.Processed, &aggregated, &applied, &root, &l.HasBlock); err != nil {
		return l, err
	}
	l.ID = wire.LayerID(id)
	copy(l.Aggregated[:], aggregated)
	copy(l.StateRoot[:], root)
	copy(l.Applied[:], applied)
	return l, nil
}
