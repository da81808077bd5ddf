package consensus

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

//go:embed summary.sql
var summarySQL string

// Summary is what became of a layer so far.
type Summary struct {
	Layer   wire.LayerID
	Ballots int64
	// Decided says that hare had an output: Output, or no block if it is zero.
	Decided   bool
	Output    wire.BlockID
	Certified bool
	Processed bool
}

// Summaries reads what became of layers from to to, both included; there is one
// for each.
func Summaries(ctx context.Context, q store.Querier, from, to wire.LayerID) ([]Summary, error) {
	rows, err := q.Query(ctx, summarySQL, int64(from), int64(to))
	if err != nil {
		return nil, fmt.Errorf("read summaries: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s Summary, err error) {
		var layer int64
		var block []byte
		if err = row.Scan(&layer, &s.Ballots, &block, &s.Certified, &s.Processed); err != nil {
			return s, err
		}
		s.Layer = wire.LayerID(layer)
		if block != nil {
			s.Decided, s.Output = true, wire.BlockID(block)
		}
		return s, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read summaries: %w", err)
	}
	return out, nil
}
