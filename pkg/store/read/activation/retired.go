package activation

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

//go:embed retired.sql
var retiredSQL string

// Retired reads the identities that moved elsewhere, in their order.
func Retired(ctx context.Context, q store.Querier) ([]wire.NodeID, error) {
	rows, err := q.Query(ctx, retiredSQL)
	if err != nil {
		return nil, fmt.Errorf("read retired identities: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return nil, fmt.Errorf("read retired identities: %w", err)
	}
	return store.Column(ids, func(b *[]byte) wire.NodeID { return wire.NodeID(*b) }), nil
}
