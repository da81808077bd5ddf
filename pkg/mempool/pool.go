package mempool

import (
	"bytes"
	"maps"
	"slices"

	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Pool is the conservative cache (spec 07 §13). It has one owner.
type Pool struct {
	accounts map[wire.Address]*account
	index    map[wire.TransactionID]*Tx
}

// NewPool returns an empty pool.
func NewPool() *Pool {
	return &Pool{accounts: map[wire.Address]*account{}, index: map[wire.TransactionID]*Tx{}}
}

// Len is the number of transactions held.
func (p *Pool) Len() int { return len(p.index) }

// Has tells whether a transaction is held.
func (p *Pool) Has(id wire.TransactionID) bool { return p.index[id] != nil }

// Tracked tells whether the pool holds an estimate for the account, and whether
// the database holds more of its transactions.
func (p *Pool) Tracked(a wire.Address) (tracked, more bool) {
	if account := p.accounts[a]; account != nil {
		return true, account.more
	}
	return false, false
}

// Projection is the next nonce and the balance of an account after everything
// that is known to be pending (spec 07 §13.1).
func (p *Pool) Projection(a wire.Address, state vm.AccountReader) (nonce, balance uint64, err error) {
	if account := p.accounts[a]; account != nil {
		return account.nextNonce(), account.available(), nil
	}
	current, err := state.Account(a)
	return current.NextNonce, current.Balance, err
}

// Add takes a verified transaction (spec 07 §13.2). Without an error it is to
// be stored, whether or not the pool keeps it. Errors are a RuleError with
// RuleNonce or RuleBalance, or come from state.
func (p *Pool) Add(tx Tx, state vm.AccountReader) error {
	principal := tx.Header.Principal
	a := p.accounts[principal]
	if a == nil {
		current, err := state.Account(principal)
		if err != nil {
			return err
		}
		a = &account{nonce: current.NextNonce, balance: current.Balance}
		p.accounts[principal] = a
	}
	defer p.forget(principal)
	if tx.Header.Nonce < a.nonce {
		return broken(RuleNonce)
	}
	if len(a.list) >= MaxNonces {
		a.more = true
		return nil
	}
	return p.insert(a, &tx)
}

func (p *Pool) insert(a *account, tx *Tx) error {
	i, taken := a.find(tx.Header.Nonce)
	balance := a.before(i)
	if taken {
		balance = a.list[i].post + a.list[i].tx.Spending()
	}
	if balance < tx.Spending() {
		return broken(RuleBalance)
	}
	switch {
	case !taken:
		a.list = slices.Insert(a.list, i, candidate{tx: tx})
	case Better(tx, a.list[i].tx, nil):
		delete(p.index, a.list[i].tx.ID)
		a.list[i].tx = tx
	default:
		return nil
	}
	p.index[tx.ID] = tx
	for _, dropped := range a.settle(i) {
		delete(p.index, dropped.ID)
	}
	return nil
}

// forget drops the estimate of an account that has nothing pending.
func (p *Pool) forget(principal wire.Address) {
	if a := p.accounts[principal]; a != nil && len(a.list) == 0 && !a.more {
		delete(p.accounts, principal)
	}
}

// Link notes that a proposal or a block of the layer holds the transactions; a
// proposal has the empty block id. As in the network's software, the walk ends
// at the first one that is not held (spec 07 §13.4).
func (p *Pool) Link(layer wire.LayerID, block wire.BlockID, ids []wire.TransactionID) {
	for _, id := range ids {
		tx := p.index[id]
		if tx == nil {
			return
		}
		if tx.Layer == 0 || layer < tx.Layer {
			tx.Layer = layer
		}
		tx.Block = block
	}
}

// Candidates are, for each account with an unpacked transaction, its held
// transactions in order of nonce from the first unpacked one on (spec 07 §13.5).
// Accounts are in ascending order of address. The result is not to be changed.
func (p *Pool) Candidates() [][]*Tx {
	var out [][]*Tx
	for _, address := range p.sorted() {
		list := p.accounts[address].list
		first := slices.IndexFunc(list, func(c candidate) bool { return c.tx.Layer == 0 })
		if first < 0 {
			continue
		}
		txs := make([]*Tx, 0, len(list)-first)
		for _, c := range list[first:] {
			txs = append(txs, c.tx)
		}
		out = append(out, txs)
	}
	return out
}

func (p *Pool) sorted() []wire.Address {
	return slices.SortedFunc(maps.Keys(p.accounts), compareAddress)
}

func compareAddress(a, b wire.Address) int { return bytes.Compare(a[:], b[:]) }
