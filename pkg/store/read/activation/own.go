package activation

import (
	"context"
	_ "embed"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// SQL about this node's identities.
var (
	//go:embed members.sql
	membersSQL string
	//go:embed instances.sql
	instancesSQL string
	//go:embed data_of.sql
	dataOfSQL string
)

// OwnIdentities reads the identities whose keys the running activations have.
func OwnIdentities(ctx context.Context, q store.Querier) (map[wire.NodeID]bool, error) {
	rows, err := q.Query(ctx, membersSQL)
	if err != nil {
		return nil, fmt.Errorf("read own identities: %w", err)
	}
	const size = len(wire.NodeID{})
	out := make(map[wire.NodeID]bool)
	var all []byte
	if _, err = pgx.ForEachRow(rows, []any{&all}, func() error {
		for ; len(all) >= size; all = all[size:] {
			out[wire.NodeID(all[:size])] = true
		}
		return nil
	}); err != nil {
		return nil, fmt.Errorf("read own identities: %w", err)
	}
	return out, nil
}

// Instances reads the names of the running activations: requests to one of them
// are addressed to it.
func Instances(ctx context.Context, q store.Querier) ([]string, error) {
	rows, err := q.Query(ctx, instancesSQL)
	if err != nil {
		return nil, fmt.Errorf("read activations: %w", err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("read activations: %w", err)
	}
	for i := range out {
		out[i], _, _ = strings.Cut(out[i], "/") // behind it stands which process it is
	}
	return out, nil
}

// Data is an identity's proof of space's data.
type Data struct {
	Units    uint32
	Complete bool
}

// DataOf reads how far an identity's data is; false if it was not begun.
func DataOf(ctx context.Context, q store.Querier, node wire.NodeID) (d Data, ok bool, err error) {
	var units int64
	err = q.QueryRow(ctx, dataOfSQL, node[:]).Scan(&units, &d.Complete)
	if store.NotFound(err) {
		return d, false, nil
	}
	if err != nil {
		return d, false, fmt.Errorf("read an identity's data: %w", err)
	}
	d.Units = uint32(units)
	return d, true, nil
}
