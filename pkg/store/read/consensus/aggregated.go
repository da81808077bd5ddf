package consensus

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

//go:embed aggregated_hashes.sql
var aggregatedHashesSQL string

// AggregatedHashes reads the opinions with which the state followed layers from to
// to, both included; layers without one are left out.
func AggregatedHashes(ctx context.Context, q store.Querier, from, to wire.LayerID) (map[wire.LayerID]wire.Hash32, error) {
	rows, err := q.Query(ctx, aggregatedHashesSQL, int64(from), int64(to))
	if err != nil {
		return nil, fmt.Errorf("read aggregated hashes: %w", err)
	}
	out := make(map[wire.LayerID]wire.Hash32)
	var layer int64
	var hash []byte
	_, err = pgx.ForEachRow(rows, []any{&layer, &hash}, func() error {
		out[wire.LayerID(layer)] = wire.Hash32(hash)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read aggregated hashes: %w", err)
	}
	return out, nil
}
