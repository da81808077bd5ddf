package mempool

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/wire"
)

// These tests hold the known weaknesses of the network's software (spec 07 §18)
// and show what keeps each of them from doing harm here.

// full is a pool and a database with MaxNonces transactions of one account.
func full(t *testing.T) (*Pool, *database, func(nonce, price uint64, id byte) Tx) {
	pool, db := NewPool(), newDatabase()
	db.accounts[address(0)] = wire.Account{Balance: 1 << 40}
	tx := func(nonce, price uint64, id byte) Tx {
		return Tx{
			ID:     wire.TransactionID{id, byte(nonce)},
			Header: wire.TxHeader{Principal: address(0), Nonce: nonce, MaxGas: 10, GasPrice: price},
		}
	}
	for nonce := range uint64(MaxNonces) {
		cheap := tx(nonce, 1, 1)
		require.NoError(t, pool.Add(cheap, db))
		db.store(cheap, WithHeader)
	}
	return pool, db, tx
}

// A full account takes no replacement. Nothing is lost: the better transaction
// is stored, the account is marked, and the next block's reload chooses it.
func TestNoReplacementWhileFull(t *testing.T) {
	pool, db, tx := full(t)
	better := tx(50, 9, 2)
	require.NoError(t, pool.Add(better, db))
	db.store(better, WithHeader)
	require.False(t, pool.Has(better.ID))
	checkInvariants(t, pool)

	settlement, err := pool.Settle(7, 8, nil, nil)
	require.NoError(t, err)
	require.Equal(t, []wire.Address{address(0)}, settlement.Reload)
	pool.Reload([]Snapshot{db.snapshot(address(0), 0, 8)})
	require.True(t, pool.Has(better.ID))
	require.False(t, pool.Has(tx(50, 1, 1).ID))
	require.Equal(t, MaxNonces, pool.Len())
}

// The walk over a proposal's transactions ends at the first one that is not held,
// so that later ones are proposed again. The executor executes each once, and a
// reload finds the links in the database.
func TestLinkWalkStops(t *testing.T) {
	pool, db, tx := full(t)
	later := tx(1, 1, 1).ID
	ids := []wire.TransactionID{{0xee}, tx(0, 1, 1).ID, later}
	db.link(9, wire.BlockID{}, ids)
	pool.Link(9, wire.BlockID{}, ids)
	require.Len(t, pool.Candidates()[0], MaxNonces, "nothing counts as packed")
	pool.Reload([]Snapshot{db.snapshot(address(0), 0, 7)})
	require.Len(t, pool.Candidates()[0], MaxNonces-2)
}

// An account that only received coins keeps its old balance, so that affordable
// transactions are refused. A service that reloads it is rid of that.
func TestStaleBalanceIsHealedByReload(t *testing.T) {
	pool, db, _ := full(t)
	db.accounts[address(0)] = wire.Account{Balance: 1 << 62}
	_, balance, err := pool.Projection(address(0), db)
	require.NoError(t, err)
	require.Equal(t, uint64(1<<40-MaxNonces*10), balance)
	pool.Reload([]Snapshot{db.snapshot(address(0), 0, 7)})
	_, balance, err = pool.Projection(address(0), db)
	require.NoError(t, err)
	require.Equal(t, uint64(1<<62-MaxNonces*10), balance)
}

// A block's gas may be exceeded: the subtraction wraps and cuts nothing more. The
// state machine then skips what does not fit, the same on every node.
func TestPruneWraps(t *testing.T) {
	txs := []*Tx{{Header: wire.TxHeader{MaxGas: 60}}, {Header: wire.TxHeader{MaxGas: 60}}, {Header: wire.TxHeader{MaxGas: 60}}}
	require.Len(t, prune(txs, 100), 3, "wrapped")
	require.Len(t, prune(txs, 120), 2, "used up exactly")
}

// A price that makes the spending wrap is accepted with the small result; it can
// never make a balance in the pool exceed the one it started from.
func TestSpendingWraps(t *testing.T) {
	pool, db := NewPool(), newDatabase()
	db.accounts[address(0)] = wire.Account{Balance: 100}
	tx := Tx{ID: wire.TransactionID{1}, Header: wire.TxHeader{Principal: address(0), MaxGas: 2, GasPrice: 1<<63 + 5}}
	require.Equal(t, uint64(10), tx.Spending())
	require.NoError(t, pool.Add(tx, db))
	_, balance, err := pool.Projection(address(0), db)
	require.NoError(t, err)
	require.Equal(t, uint64(90), balance)
	checkInvariants(t, pool)
}
