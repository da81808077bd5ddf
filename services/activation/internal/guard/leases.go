package guard

import (
	"context"
	"fmt"

	"github.com/smeshery/smeshery/pkg/lease"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// KeepLeases writes changes of leases into the audit table.
func (g *Guard) KeepLeases(ctx context.Context, db store.Execer, changes []lease.Change) error {
	if len(changes) == 0 {
		return nil
	}
	_, err := db.Exec(ctx, `INSERT INTO audit (event, term, detail)
		SELECT 'lease_' || what, term, name FROM unnest($1::text[], $2::bigint[], $3::text[]) AS c (what, term, name)`,
		store.Column(changes, func(c *lease.Change) string { return string(c.What) }),
		store.Column(changes, func(c *lease.Change) int64 { return int64(c.Term) }),
		store.Column(changes, func(c *lease.Change) string { return c.Name }))
	if err != nil {
		return fmt.Errorf("keep lease changes: %w", err)
	}
	return nil
}

// Terms are the tenures of the identities that may sign now.
func (g *Guard) Terms() map[wire.NodeID]lease.Term {
	keys := *g.keys.Load()
	held := make(map[wire.NodeID]lease.Term, len(keys))
	for id := range keys {
		if term, ok := g.terms.Term(LeaseName(id)); ok {
			held[id] = term
		}
	}
	return held
}
