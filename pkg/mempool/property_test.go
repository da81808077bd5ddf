package mempool

import (
	"cmp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/pkg/wire"
)

// drawTx is a transaction of one of a few accounts with small numbers, so that
// nonces collide and balances run out.
func drawTx(t *rapid.T) Tx {
	var id wire.TransactionID
	copy(id[:], rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "id"))
	return Tx{
		ID: id, Received: rapid.Int64Range(0, 5).Draw(t, "received"),
		Header: wire.TxHeader{
			Principal: address(rapid.Uint32Range(0, 2).Draw(t, "principal")),
			Nonce:     rapid.Uint64Range(0, 8).Draw(t, "nonce"),
			MaxGas:    rapid.Uint64Range(1, 9).Draw(t, "gas"),
			GasPrice:  rapid.SampledFrom([]uint64{1, 2, 3, 1 << 63}).Draw(t, "price"),
			MaxSpend:  rapid.Uint64Range(0, 40).Draw(t, "spend"),
		},
	}
}

// TestPoolKeepsItsInvariants runs a pool against its database, as a service
// would, and compares the projection with a recount.
func TestPoolKeepsItsInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pool, db := NewPool(), newDatabase()
		for i := range uint32(3) {
			db.accounts[address(i)] = wire.Account{Balance: rapid.Uint64Range(0, 150).Draw(t, "balance"), NextNonce: 2}
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				tx := drawTx(t)
				if db.stored(tx.ID) != Absent {
					return
				}
				if pool.Add(tx, db) == nil {
					db.store(tx, WithHeader)
				}
			},
			"link": func(t *rapid.T) {
				ids := heldIDs(pool)
				if len(ids) > 0 {
					layer := db.last + wire.LayerID(rapid.Uint32Range(1, 3).Draw(t, "layer"))
					picked := []wire.TransactionID{rapid.SampledFrom(ids).Draw(t, "tx")}
					db.link(layer, wire.BlockID{1}, picked)
					pool.Link(layer, wire.BlockID{1}, picked)
				}
			},
			"apply": func(t *rapid.T) { applySome(t, pool, db) },
			"revert": func(t *rapid.T) {
				db.revert(db.last - 1)
				pool.Rebuild(db.unexecuted())
			},
			"": func(t *rapid.T) { checkInvariants(t, pool) },
		})
	})
}

func heldIDs(p *Pool) []wire.TransactionID {
	var out []wire.TransactionID
	for id := range p.index {
		out = append(out, id)
	}
	slices.SortFunc(out, wire.Compare[wire.TransactionID])
	return out
}

// applySome executes the first candidate of every account.
func applySome(t *rapid.T, pool *Pool, db *database) {
	layer := db.last + 1
	var executed []Settled
	for _, txs := range pool.Candidates() {
		tx := txs[0]
		executed = append(executed, Settled{ID: tx.ID, Principal: tx.Header.Principal, Stored: db.stored(tx.ID)})
	}
	settlement, err := pool.Settle(db.last, layer, executed, nil)
	require.NoError(t, err)
	for _, s := range executed {
		r := db.rows[s.ID]
		r.stored, r.layer = Applied, layer
		account := db.accounts[s.Principal]
		account.NextNonce, account.Balance = r.tx.Header.Nonce+1, account.Balance-r.tx.Spending()
		db.accounts[s.Principal] = account
	}
	db.last = layer
	var snapshots []Snapshot
	for _, a := range settlement.Reload {
		snapshots = append(snapshots, db.snapshot(a, db.accounts[a].NextNonce, layer))
	}
	pool.Reload(snapshots)
	for _, s := range executed {
		require.False(t, pool.Has(s.ID))
	}
}

// slowSelect looks for the best head anew each time.
func slowSelect(candidates [][]*Tx, gas uint64) (out []*Tx) {
	left := slices.Clone(candidates)
	for gas > 0 {
		best := -1
		for i, txs := range left {
			if len(txs) > 0 && (best < 0 || (heads{{txs[0].Header.Fee(), txs}, {left[best][0].Header.Fee(), left[best]}}).before(0, 1)) {
				best = i
			}
		}
		switch {
		case best < 0:
			return out
		case left[best][0].Header.MaxGas > gas:
			left[best] = nil
		default:
			gas -= left[best][0].Header.MaxGas
			out = append(out, left[best][0])
			left[best] = left[best][1:]
		}
	}
	return out
}

func drawCandidates(t *rapid.T) (out [][]*Tx) {
	for i := range rapid.IntRange(0, 12).Draw(t, "accounts") {
		var txs []*Tx
		for n := range rapid.IntRange(1, 6).Draw(t, "txs") {
			tx := drawTx(t)
			tx.Header.Principal, tx.Header.Nonce = address(uint32(i)), uint64(n)
			txs = append(txs, &tx)
		}
		out = append(out, txs)
	}
	return out
}

func TestSelectEqualsSlowSelect(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		candidates := drawCandidates(t)
		gas := rapid.Uint64Range(0, 120).Draw(t, "gas")
		require.Equal(t, slowSelect(candidates, gas), Select(candidates, gas))
	})
}

// A proposal lists distinct transactions, each account's from its first nonce on.
func TestProposalsKeepNonceOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sequence := Select(drawCandidates(t), 1<<63)
		n := rapid.IntRange(0, 80).Draw(t, "n")
		byID := map[wire.TransactionID]*Tx{}
		for _, tx := range sequence {
			byID[tx.ID] = tx
		}
		if len(byID) < len(sequence) {
			return // two candidates drew the same id
		}
		got := Propose(sequence, n, [32]byte{1})
		require.Len(t, got, min(n, len(sequence)))
		next := map[wire.Address]uint64{}
		for _, id := range got {
			h := byID[id].Header
			require.Equal(t, next[h.Principal], h.Nonce)
			next[h.Principal]++
		}
	})
}

// Every node gives the same block, in whatever order it stored the transactions
// of equal rank, and a block's transactions are in nonce order per principal.
func TestBlockTxsAreCommon(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var txs []BlockTx
		for range rapid.IntRange(0, 30).Draw(t, "n") {
			txs = append(txs, BlockTx{Tx: drawTx(t), Applied: rapid.IntRange(0, 4).Draw(t, "applied") == 0})
		}
		slices.SortFunc(txs, func(a, b BlockTx) int { return wire.Compare(a.ID, b.ID) })
		txs = slices.CompactFunc(txs, func(a, b BlockTx) bool { return a.ID == b.ID })
		seed := [32]byte{7}
		want := BlockTxs(txs, seed, 0)
		mixed := rapid.Permutation(txs).Draw(t, "mixed")
		for i := range mixed {
			mixed[i].Received = int64(i)
		}
		require.Equal(t, want, BlockTxs(mixed, seed, 0))
		last := map[wire.Address]uint64{}
		for _, id := range want {
			i, _ := slices.BinarySearchFunc(txs, id, func(tx BlockTx, id wire.TransactionID) int { return wire.Compare(tx.ID, id) })
			h := txs[i].Header
			before, seen := last[h.Principal]
			require.True(t, !seen || cmp.Less(before, h.Nonce))
			last[h.Principal] = h.Nonce
		}
	})
}
