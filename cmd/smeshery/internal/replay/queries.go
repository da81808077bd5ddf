package replay

import (
	"context"
	_ "embed" // the queries
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Queries for what the services made of the objects. They read tables that the
// services own; no service makes these queries, so they stand here.
var (
	//go:embed sql/compare_poets.sql
	comparePoetsSQL string
	//go:embed sql/compare_atxs.sql
	compareATXsSQL string
	//go:embed sql/compare_ballots.sql
	compareBallotsSQL string
	//go:embed sql/compare_layers.sql
	compareLayersSQL string
	//go:embed sql/compare_blocks.sql
	compareBlocksSQL string
	//go:embed sql/compare_certificates.sql
	compareCertificatesSQL string
	//go:embed sql/compare_results.sql
	compareResultsSQL string
	//go:embed sql/compare_pending.sql
	comparePendingSQL string
	//go:embed sql/compare_beacons.sql
	compareBeaconsSQL string
	//go:embed sql/compare_malicious.sql
	compareMaliciousSQL string
	//go:embed sql/compare_marriages.sql
	compareMarriagesSQL string
)

// index reads rows by a key that scan returns beside each row.
func index[K comparable, V any](ctx context.Context, r *run, what, sql string, scan func(pgx.CollectableRow) (K, V, error), args ...any) (map[K]V, error) {
	var out map[K]V
	err := r.query(ctx, "compare "+what, func(ctx context.Context) error {
		rows, err := r.target.DB().Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		out = make(map[K]V)
		for rows.Next() {
			k, v, err := scan(rows)
			if err != nil {
				return err
			}
			if _, twice := out[k]; twice {
				return fmt.Errorf("%v is there twice", k)
			}
			out[k] = v
		}
		return rows.Err()
	})
	return out, err
}

// byID reads rows whose first column is an id; columns says where the others go.
func byID[K ~[20]byte | ~[32]byte, V any](ctx context.Context, r *run, what, sql string, columns func(*V) []any, args ...any) (map[K]V, error) {
	return index(ctx, r, what, sql, func(rows pgx.CollectableRow) (id K, v V, err error) {
		var key []byte
		if err := rows.Scan(append([]any{&key}, columns(&v)...)...); err != nil {
			return id, v, err
		}
		return *optional[K](key), v, nil
	}, args...)
}

// optional turns a nullable column into an id.
func optional[T ~[20]byte | ~[24]byte | ~[32]byte](b []byte) *T {
	if b == nil {
		return nil
	}
	var id T
	for i := range min(len(b), len(id)) {
		id[i] = b[i]
	}
	return &id
}
