package db

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// InsertExecuting notes that a layer is about to be executed ahead of its block.
func InsertExecuting(ctx context.Context, q store.Execer, layer wire.LayerID) error {
	return exec(ctx, q, "note execution", insertExecutingSQL, int64(layer))
}

// DeleteExecuting forgets layers up to one: their outputs are stored, or they are
// not executed.
func DeleteExecuting(ctx context.Context, q store.Execer, layer wire.LayerID) error {
	return exec(ctx, q, "forget execution", deleteExecutingSQL, int64(layer))
}

// Executing reads the layers whose execution was begun and whose output is not
// stored, ascending.
func Executing(ctx context.Context, q store.Querier) ([]wire.LayerID, error) {
	rows, err := q.Query(ctx, executingSQL)
	if err != nil {
		return nil, fmt.Errorf("read begun executions: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (wire.LayerID, error) {
		var layer int64
		err := row.Scan(&layer)
		return wire.LayerID(layer), err
	})
	if err != nil {
		return nil, fmt.Errorf("read begun executions: %w", err)
	}
	return out, nil
}
