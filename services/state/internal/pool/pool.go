package pool

import (
	"context"
	"sync"

	"github.com/smeshery/smeshery/pkg/mempool"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"

	"github.com/smeshery/smeshery/services/state/internal/db"
)

// Pool is the mempool of a service. Its methods may be called from anywhere.
type Pool struct {
	db       *store.DB
	gasLimit uint64

	// reading is held by whoever reads the pool again.
	reading sync.Mutex

	mu      sync.Mutex
	pool    *mempool.Pool
	applied wire.LayerID
	doubt   bool
	// journal is what was added since a reading began; nil if none runs.
	journal []added
	chosen  sequence
}

type added struct {
	tx    mempool.Tx
	state vm.AccountReader
}

// sequence is what proposals of a layer are filled from.
type sequence struct {
	layer, applied wire.LayerID
	valid          bool
	txs            []*mempool.Tx
}

// New returns an empty pool; Changed fills it.
func New(d *store.DB, gasLimit uint64) *Pool {
	return &Pool{db: d, gasLimit: gasLimit, pool: mempool.NewPool()}
}

// Len is the number of transactions held.
func (p *Pool) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pool.Len()
}

// Receive completes judgements with the pool's opinion. Those that are to be
// stored must be, or Doubt be called. An error belongs to its judgement.
func (p *Pool) Receive(js []mempool.Judgement, accounts vm.AccountReader) []error {
	p.mu.Lock()
	defer p.mu.Unlock()
	errs := make([]error, len(js))
	for i := range js {
		js[i], errs[i] = p.pool.Receive(js[i], accounts)
		if p.journal != nil && errs[i] == nil && js[i].Store == mempool.WithHeader {
			p.journal = append(p.journal, added{js[i].Tx, accounts})
		}
	}
	return errs
}

// Link notes that a block that was stored includes transactions.
func (p *Pool) Link(layer wire.LayerID, block wire.BlockID, ids []wire.TransactionID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if layer > p.applied {
		p.pool.Link(layer, block, ids)
	}
}

// Projection is the next nonce and the balance of an account, after everything
// that waits.
func (p *Pool) Projection(a wire.Address, accounts vm.AccountReader) (nonce, balance uint64, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pool.Projection(a, accounts)
}

// Select chooses up to n transactions for a proposal of a layer. The sequence
// that all identities of the node choose from is made once for a layer.
func (p *Pool) Select(layer wire.LayerID, n int, seed [32]byte) []wire.TransactionID {
	p.mu.Lock()
	if c := &p.chosen; !c.valid || c.layer != layer || c.applied != p.applied {
		candidates := p.pool.Candidates()
		// Copies: the pool changes its transactions, and the sequence is
		// shuffled without the lock.
		for i, txs := range candidates {
			for j, tx := range txs {
				own := *tx
				candidates[i][j] = &own
			}
		}
		*c = sequence{layer, p.applied, true, mempool.Select(candidates, p.gasLimit)}
	}
	txs := p.chosen.txs
	p.mu.Unlock()
	return mempool.Propose(txs, n, seed)
}

// Doubt says that something that was added may not be stored.
func (p *Pool) Doubt() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.doubt = true
}

// Repair reads the pool again if it is in doubt.
func (p *Pool) Repair(ctx context.Context) error {
	p.mu.Lock()
	doubt, applied := p.doubt, p.applied
	p.mu.Unlock()
	if !doubt {
		return nil
	}
	return p.Changed(ctx, applied)
}

// Changed reads the whole pool again (spec 07 §13.7).
func (p *Pool) Changed(ctx context.Context, applied wire.LayerID) error {
	p.reading.Lock()
	defer p.reading.Unlock()
	p.begin()
	p.mu.Lock()
	p.doubt = true // until it is done
	p.mu.Unlock()
	pending, err := db.AllPending(ctx, p.db, applied)
	if err != nil {
		p.end(nil)
		return err
	}
	var principals []wire.Address
	seen := make(map[wire.Address]struct{})
	for i := range pending {
		a := pending[i].Header.Principal
		if _, again := seen[a]; !again {
			seen[a] = struct{}{}
			principals = append(principals, a)
		}
	}
	found, err := state.AccountsAt(ctx, p.db, principals, state.Latest)
	if err != nil {
		p.end(nil)
		return err
	}
	snapshots := db.Snapshots(found, fitting(found, pending, nil))
	p.end(func() {
		p.applied, p.doubt, p.chosen = applied, false, sequence{}
		p.pool.Rebuild(snapshots)
	})
	return nil
}

// fitting are the pending transactions of the accounts from their next nonces
// on, without those that have just been executed.
func fitting(accounts []wire.Account, pending []mempool.Tx, executed map[wire.TransactionID]bool) []mempool.Tx {
	next := make(map[wire.Address]uint64, len(accounts))
	for i := range accounts {
		next[accounts[i].Address] = accounts[i].NextNonce
	}
	kept := pending[:0]
	for _, tx := range pending {
		nonce, known := next[tx.Header.Principal]
		if known && tx.Header.Nonce >= nonce && !executed[tx.ID] {
			kept = append(kept, tx)
		}
	}
	return kept
}

// begin remembers what is added from now on.
func (p *Pool) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.journal = []added{}
}

// end changes the pool, if change is given, and adds again what came meanwhile.
func (p *Pool) end(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	journal := p.journal
	p.journal = nil
	if change == nil {
		return
	}
	change()
	for _, a := range journal {
		// What no longer fits has been stored all the same.
		_ = p.pool.Add(a.tx, a.state)
	}
}
