package activation

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// SQL of the queries about proofs of malfeasance.
var (
	//go:embed proofs_of.sql
	proofsOfSQL string
	//go:embed proofs_after.sql
	proofsAfterSQL string
)

// Evidence is a proof against an identity, as it is stored: its bytes may be of a
// kind that is not known here.
type Evidence struct {
	Malicious
	Proof []byte
}

// ProofsOf reads the proofs against those of the identities that have one,
// ascending by identity.
func ProofsOf(ctx context.Context, q store.Querier, nodes []wire.NodeID) ([]Evidence, error) {
	return evidence(ctx, q, proofsOfSQL, store.Column(nodes, func(n *wire.NodeID) []byte { return n[:] }))
}

// ProofsAfter reads the feed of malicious identities with their proofs.
func ProofsAfter(ctx context.Context, q store.Querier, seq int64, limit int) ([]Evidence, error) {
	return evidence(ctx, q, proofsAfterSQL, seq, limit)
}

func evidence(ctx context.Context, q store.Querier, sql string, args ...any) ([]Evidence, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read proofs of malfeasance: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e Evidence, err error) {
		var node []byte
		if err = row.Scan(&e.Seq, &node, &e.Received, &e.Proof); err == nil {
			e.Node = wire.NodeID(node)
		}
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("read proofs of malfeasance: %w", err)
	}
	return out, nil
}
