package mempool

import (
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/wire"
)

type cacheCase struct {
	Accounts []struct {
		Address   vectors.Hex    `json:"address"`
		NextNonce vectors.Uint64 `json:"next_nonce"`
		Balance   vectors.Uint64 `json:"balance"`
	} `json:"accounts"`
	Txs   []txJSON    `json:"txs"`
	Steps []cacheStep `json:"steps"`
}

type cacheStep struct {
	Op          string          `json:"op"`
	Tx          int             `json:"tx"`
	Txs         []int           `json:"txs"`
	Layer       wire.LayerID    `json:"layer"`
	Empty       bool            `json:"empty"`
	Results     []int           `json:"results"`
	Ineffective []int           `json:"ineffective"`
	State       []cacheState    `json:"state"`
	Expect      cacheExpectJSON `json:"expect"`
}

type cacheState struct {
	NextNonce vectors.Uint64 `json:"next_nonce"`
	Balance   vectors.Uint64 `json:"balance"`
}

type cacheExpectJSON struct {
	Error    string `json:"error"`
	Accounts []struct {
		NextNonce vectors.Uint64 `json:"next_nonce"`
		Balance   vectors.Uint64 `json:"balance"`
		More      bool           `json:"more_in_db"`
		Mempool   []int          `json:"mempool"`
		Tracked   bool           `json:"tracked"`
	} `json:"accounts"`
	Stored []int `json:"stored"`
}

// cacheWorld runs a case: a pool and the database it works with.
type cacheWorld struct {
	c    *cacheCase
	pool *Pool
	db   *database
}

func (w *cacheWorld) address(i int) wire.Address { return wire.Address(w.c.Accounts[i].Address) }

func (w *cacheWorld) tx(i int) Tx {
	tx := w.c.Txs[i].tx()
	tx.Header.Principal = w.address(int(w.c.Txs[i].Account))
	return tx
}

func (w *cacheWorld) ids(txs []int) (out []wire.TransactionID) {
	for _, i := range txs {
		out = append(out, w.c.Txs[i].ID.Array32())
	}
	return out
}

func TestCacheVectors(t *testing.T) {
	vectors.Run(t, "txs/cache", func(t *testing.T, c cacheCase) {
		w := &cacheWorld{c: &c, pool: NewPool(), db: newDatabase()}
		for i, a := range c.Accounts {
			w.db.accounts[w.address(i)] = wire.Account{NextNonce: uint64(a.NextNonce), Balance: uint64(a.Balance)}
		}
		for i := range c.Steps {
			step := &c.Steps[i]
			require.Equal(t, step.Expect.Error, cacheError(w.step(t, step)), "step %d: %s", i, step.Op)
			checkInvariants(t, w.pool)
			if step.Expect.Accounts != nil {
				w.check(t, i, &step.Expect)
			}
		}
	})
}

func cacheError(err error) string {
	var rule *RuleError
	switch {
	case err == nil:
		return ""
	case errors.Is(err, ErrOrder):
		return "layer_not_in_order"
	case errors.Is(err, ErrResult):
		return "result_for_unknown_or_applied_tx"
	case errors.As(err, &rule) && rule.Rule == RuleNonce:
		return "bad_nonce"
	case errors.As(err, &rule) && rule.Rule == RuleBalance:
		return "insufficient_balance"
	}
	return err.Error()
}

func (w *cacheWorld) step(t *testing.T, s *cacheStep) error {
	switch s.Op {
	case "add":
		tx := w.tx(s.Tx)
		err := w.pool.Add(tx, w.db)
		if err == nil {
			w.db.store(tx, WithHeader)
		}
		return err
	case "link_proposal", "link_block":
		block := wire.BlockID{}
		if s.Op == "link_block" {
			block[0] = byte(s.Layer)
		}
		w.db.link(s.Layer, block, w.ids(s.Txs))
		w.pool.Link(s.Layer, block, w.ids(s.Txs))
		return nil
	case "apply":
		return w.apply(s)
	case "revert":
		w.db.revert(s.Layer)
		w.setState(s.State)
		w.pool.Rebuild(w.db.unexecuted())
		w.db.last = s.Layer // the marker goes last (spec 07 §9.5)
		return nil
	}
	t.Fatalf("op %q", s.Op)
	return nil
}

func (w *cacheWorld) setState(state []cacheState) {
	for i, s := range state {
		w.db.accounts[w.address(i)] = wire.Account{NextNonce: uint64(s.NextNonce), Balance: uint64(s.Balance)}
	}
}

func (w *cacheWorld) settled(txs []int) (out []Settled) {
	for _, i := range txs {
		tx := w.tx(i)
		s := Settled{ID: tx.ID, Principal: tx.Header.Principal}
		if r := w.db.rows[tx.ID]; r != nil {
			s.Stored = r.stored
		}
		out = append(out, s)
	}
	return out
}

func (w *cacheWorld) apply(s *cacheStep) error {
	if s.Empty {
		if err := Next(w.db.last, s.Layer); err != nil {
			return err
		}
		var next []Inclusion
		for _, id := range w.pool.PackedIn(s.Layer) {
			next = append(next, w.db.next(id, s.Layer))
		}
		w.pool.Unpack(next)
		w.db.last = s.Layer
		return nil
	}
	settlement, err := w.pool.Settle(w.db.last, s.Layer, w.settled(s.Results), w.settled(s.Ineffective))
	if err != nil {
		return err
	}
	w.setState(s.State)
	for _, id := range w.ids(s.Results) {
		w.db.rows[id].stored, w.db.rows[id].layer = Applied, s.Layer
	}
	for _, i := range s.Ineffective {
		if tx := w.tx(i); slices.Contains(settlement.Headers, tx.ID) {
			w.db.store(tx, WithHeader)
		}
	}
	w.db.last = s.Layer
	var snapshots []Snapshot
	for _, a := range settlement.Reload {
		snapshots = append(snapshots, w.db.snapshot(a, w.db.accounts[a].NextNonce, s.Layer))
	}
	w.pool.Reload(snapshots)
	return nil
}

func (w *cacheWorld) check(t *testing.T, step int, expect *cacheExpectJSON) {
	mempool := map[wire.Address][]int{}
	for _, txs := range w.pool.Candidates() {
		mempool[txs[0].Header.Principal] = indexes(w.c.Txs, ids(txs))
	}
	for i, want := range expect.Accounts {
		nonce, balance, err := w.pool.Projection(w.address(i), w.db)
		require.NoError(t, err)
		require.Equal(t, uint64(want.NextNonce), nonce, "step %d account %d", step, i)
		require.Equal(t, uint64(want.Balance), balance, "step %d account %d", step, i)
		tracked, more := w.pool.Tracked(w.address(i))
		require.Equal(t, want.Tracked, tracked, "step %d account %d", step, i)
		require.Equal(t, want.More, more, "step %d account %d", step, i)
		require.ElementsMatch(t, want.Mempool, mempool[w.address(i)], "step %d account %d", step, i)
		require.True(t, slices.Equal(want.Mempool, mempool[w.address(i)]), "step %d account %d", step, i)
	}
	stored := []int{}
	for i := range w.c.Txs {
		if w.db.rows[w.tx(i).ID] != nil {
			stored = append(stored, i)
		}
	}
	require.Equal(t, expect.Stored, stored, "step %d", step)
}

// checkInvariants is doc.go's list.
func checkInvariants(t require.TestingT, p *Pool) {
	held := 0
	for principal, a := range p.accounts {
		require.True(t, len(a.list) > 0 || a.more)
		require.LessOrEqual(t, len(a.list), MaxNonces)
		balance := a.balance
		for i, c := range a.list {
			require.Equal(t, principal, c.tx.Header.Principal)
			require.LessOrEqual(t, c.tx.Spending(), balance)
			balance -= c.tx.Spending()
			require.Equal(t, balance, c.post)
			require.True(t, i == 0 || a.list[i-1].tx.Header.Nonce < c.tx.Header.Nonce)
			require.True(t, p.index[c.tx.ID] == c.tx)
		}
		held += len(a.list)
	}
	require.Equal(t, held, p.Len())
}
