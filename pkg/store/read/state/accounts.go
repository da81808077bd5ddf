package state

import (
	"context"
	_ "embed"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// SQL of the queries about accounts.
var (
	//go:embed accounts_at.sql
	accountsAtSQL string
	//go:embed all_accounts_at.sql
	allAccountsAtSQL string
	//go:embed account_versions.sql
	accountVersionsSQL string
)

// Latest stands for the newest version where a query takes a layer.
const Latest = wire.LayerID(math.MaxUint32)

// AccountsAt reads the versions of accounts at a layer (Latest for now), in any
// order. Accounts that were never written are left out.
func AccountsAt(ctx context.Context, q store.Querier, addresses []wire.Address, layer wire.LayerID) ([]wire.Account, error) {
	keys := store.Column(addresses, func(a *wire.Address) []byte { return a[:] })
	return accounts(ctx, q, len(addresses), accountsAtSQL, keys, int64(layer))
}

// AllAccountsAt reads the version of every account at a layer, ascending by
// address, as a checkpoint does.
func AllAccountsAt(ctx context.Context, q store.Querier, layer wire.LayerID) ([]wire.Account, error) {
	return accounts(ctx, q, 0, allAccountsAtSQL, int64(layer))
}

// AccountVersions reads what layers from to to, both included, wrote: ascending
// by layer and address.
func AccountVersions(ctx context.Context, q store.Querier, from, to wire.LayerID) ([]wire.Account, error) {
	return accounts(ctx, q, 0, accountVersionsSQL, int64(from), int64(to))
}

func accounts(ctx context.Context, q store.Querier, size int, sql string, args ...any) ([]wire.Account, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	out := make([]wire.Account, 0, size)
	templates := make(map[wire.Address]*wire.Address, 4)
	var address, template, state pgtype.DriverBytes
	var layer, balance, nonce int64
	_, err = pgx.ForEachRow(rows, []any{&address, &layer, &balance, &nonce, &template, &state}, func() error {
		a := wire.Account{
			Layer: wire.LayerID(layer), Address: wire.Address(address),
			NextNonce: uint64(nonce), Balance: uint64(balance),
		}
		if template != nil {
			a.TemplateAddress = shared(templates, wire.Address(template))
		}
		if len(state) > 0 {
			a.State = append(make([]byte, 0, len(state)), state...)
		}
		out = append(out, a)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	return out, nil
}

// shared gives all accounts of a template one copy of its address.
func shared(seen map[wire.Address]*wire.Address, template wire.Address) *wire.Address {
	if p := seen[template]; p != nil {
		return p
	}
	seen[template] = &template
	return &template
}
