package replay

import (
	"context"
	_ "embed" // the queries
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/store"
)

// Queries for the ids that a service holds already.
var (
	//go:embed sql/known_poets.sql
	knownPoetsSQL string
	//go:embed sql/known_atxs.sql
	knownATXsSQL string
	//go:embed sql/known_malicious.sql
	knownMaliciousSQL string
	//go:embed sql/known_activesets.sql
	knownActiveSetsSQL string
	//go:embed sql/known_ballots.sql
	knownBallotsSQL string
	//go:embed sql/known_blocks.sql
	knownBlocksSQL string
	//go:embed sql/known_transactions.sql
	knownTransactionsSQL string
)

// knownQuery is the query for a kind, and the length of its key.
func knownQuery(k bus.Kind) (sql string, key int) {
	switch k {
	case bus.KindPoet:
		return knownPoetsSQL, 32
	case bus.KindATX:
		return knownATXsSQL, 32
	case bus.KindMalfeasance:
		return knownMaliciousSQL, 32
	case bus.KindActiveSet:
		return knownActiveSetsSQL, 32
	case bus.KindBallot:
		return knownBallotsSQL, 20
	case bus.KindBlock:
		return knownBlocksSQL, 20
	case bus.KindTransaction:
		return knownTransactionsSQL, 32
	}
	return "", 0
}

// unknown leaves out the objects that their owner holds. All are of one kind.
func (r *run) unknown(ctx context.Context, objects []object) ([]object, error) {
	sql, key := knownQuery(objects[0].kind)
	if sql == "" {
		return objects, nil
	}
	keys := store.Column(objects, func(o *object) []byte { return o.hash[:key] })
	known := make(map[string]struct{})
	err := r.query(ctx, fmt.Sprintf("look up %s", objects[0].kind), func(ctx context.Context) error {
		rows, err := r.target.DB().Query(ctx, sql, keys)
		if err != nil {
			return err
		}
		var id []byte
		_, err = pgx.ForEachRow(rows, []any{&id}, func() error {
			known[string(id)] = struct{}{}
			return nil
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	var fresh []object
	for _, o := range objects {
		if _, ok := known[string(o.hash[:key])]; !ok {
			fresh = append(fresh, o)
		}
	}
	return fresh, nil
}
