package state

import (
	"context"
	_ "embed"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

//go:embed checkpoint_versions.sql
var checkpointVersionsSQL string

// CheckpointVersions reads the versions of all accounts up to a layer, by address
// and then by layer, row by row.
func CheckpointVersions(ctx context.Context, q store.Querier, layer wire.LayerID) iter.Seq2[wire.Account, error] {
	return func(yield func(wire.Account, error) bool) {
		rows, err := q.Query(ctx, checkpointVersionsSQL, int64(layer))
		if err != nil {
			yield(wire.Account{}, fmt.Errorf("read versions of accounts: %w", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			a, err := scanVersion(rows)
			if !yield(a, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(wire.Account{}, fmt.Errorf("read versions of accounts: %w", err))
		}
	}
}

func scanVersion(row pgx.Row) (a wire.Account, err error) {
	var address, template []byte
	var layer, balance, nonce int64
	if err = row.Scan(&address, &layer, &balance, &nonce, &template, &a.State); err != nil {
		return a, fmt.Errorf("read versions of accounts: %w", err)
	}
	a.Address, a.Layer, a.Balance, a.NextNonce = wire.Address(address), wire.LayerID(layer), uint64(balance), uint64(nonce)
	if template != nil {
		t := wire.Address(template)
		a.TemplateAddress = &t
	}
	return a, nil
}
