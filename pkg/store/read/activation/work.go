package activation

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

//go:embed work.sql
var workSQL string

// Work is a task for machines that waits or runs.
type Work struct {
	Node wire.NodeID
	Kind bus.TaskKind
	// Running tells that a worker has it.
	Running bool
	Worker  string
	// Done of Total, in labels for PostInit and bytes of the pass for PostProve;
	// Total is 0 before it began.
	Done, Total uint64
	// Trouble is why it waits again, if it ran before.
	Trouble string
}

// OpenWork reads the tasks that wait or run, the most urgent first.
func OpenWork(ctx context.Context, q store.Querier) ([]Work, error) {
	rows, err := q.Query(ctx, workSQL)
	if err != nil {
		return nil, fmt.Errorf("read work: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (w Work, err error) {
		var node []byte
		var kind int16
		var done, total int64
		if err := row.Scan(&node, &kind, &w.Running, &w.Worker, &done, &total, &w.Trouble); err != nil {
			return w, err
		}
		w.Node, w.Kind, w.Done, w.Total = wire.NodeID(node), bus.TaskKind(kind), uint64(done), uint64(total)
		return w, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read work: %w", err)
	}
	return out, nil
}
