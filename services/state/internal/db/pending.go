package db

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/mempool"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// SQL about transactions that wait for their execution.
var (
	//go:embed sql/pending_of.sql
	pendingOfSQL string
	//go:embed sql/all_pending.sql
	allPendingSQL string
	//go:embed sql/next_inclusions.sql
	nextInclusionsSQL string
)

// PendingOf reads the verified transactions without result of accounts, from
// their next nonces on, in any order. Inclusions are those after applied.
func PendingOf(ctx context.Context, q store.Querier, accounts []wire.Account, applied wire.LayerID) ([]mempool.Tx, error) {
	return pending(ctx, q, pendingOfSQL,
		store.Column(accounts, func(a *wire.Account) []byte { return a.Address[:] }),
		store.Column(accounts, func(a *wire.Account) int64 { return int64(a.NextNonce) }),
		int64(applied))
}

// AllPending reads all verified transactions without result, in any order.
func AllPending(ctx context.Context, q store.Querier, applied wire.LayerID) ([]mempool.Tx, error) {
	return pending(ctx, q, allPendingSQL, int64(applied))
}

func pending(ctx context.Context, q store.Querier, sql string, args ...any) ([]mempool.Tx, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read pending transactions: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t mempool.Tx, err error) {
		var id, header, block []byte
		var layer int64
		if err = row.Scan(&id, &header, &t.Received, &layer, &block); err != nil {
			return t, err
		}
		t.ID, t.Layer = wire.TransactionID(id), wire.LayerID(layer)
		copy(t.Block[:], block)
		return t, codec.Decode(header, &t.Header)
	})
	if err != nil {
		return nil, fmt.Errorf("read pending transactions: %w", err)
	}
	return out, nil
}

// Snapshots groups pending transactions by account, in the order that the pool
// wants. An account without any gets a snapshot too.
func Snapshots(accounts []wire.Account, pending []mempool.Tx) []mempool.Snapshot {
	out := make([]mempool.Snapshot, len(accounts))
	places := make(map[wire.Address]int, len(accounts))
	for i, a := range accounts {
		out[i] = mempool.Snapshot{Address: a.Address, Nonce: a.NextNonce, Balance: a.Balance}
		places[a.Address] = i
	}
	for _, tx := range pending {
		s := &out[places[tx.Header.Principal]]
		s.Pending = append(s.Pending, tx)
	}
	for i := range out {
		slices.SortFunc(out[i].Pending, func(a, b mempool.Tx) int {
			return cmp.Or(cmp.Compare(a.Header.Nonce, b.Header.Nonce), cmp.Compare(a.Received, b.Received), wire.Compare(a.ID, b.ID))
		})
	}
	return out
}

// NextInclusions reads the first blocks after a layer that include transactions.
func NextInclusions(ctx context.Context, q store.Querier, ids []wire.TransactionID, after wire.LayerID) ([]mempool.Inclusion, error) {
	rows, err := q.Query(ctx, nextInclusionsSQL, txKeys(ids), int64(after))
	if err != nil {
		return nil, fmt.Errorf("read inclusions: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (n mempool.Inclusion, err error) {
		var id, block []byte
		var layer int64
		err = row.Scan(&id, &layer, &block)
		if err == nil {
			n.ID, n.Layer = wire.TransactionID(id), wire.LayerID(layer)
			copy(n.Block[:], block)
		}
		return n, err
	})
	if err != nil {
		return nil, fmt.Errorf("read inclusions: %w", err)
	}
	return out, nil
}
