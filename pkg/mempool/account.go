package mempool

import (
	"slices"
)

// candidate is the transaction chosen for a nonce.
type candidate struct {
	tx *Tx
	// post is the balance after it.
	post uint64
}

// account is the estimate for one principal.
type account struct {
	nonce, balance uint64 // of the state, at creation or last reset
	list           []candidate
	// more says that the database holds transactions that might fit later.
	more bool
}

// nextNonce is the nonce to use after everything in the list.
func (a *account) nextNonce() uint64 {
	if n := len(a.list); n > 0 {
		return a.list[n-1].tx.Header.Nonce + 1
	}
	return a.nonce
}

// available is the balance after everything in the list.
func (a *account) available() uint64 {
	if n := len(a.list); n > 0 {
		return a.list[n-1].post
	}
	return a.balance
}

// find is the position of a nonce in the list, or where it belongs.
func (a *account) find(nonce uint64) (int, bool) {
	return slices.BinarySearchFunc(a.list, nonce, func(c candidate, nonce uint64) int {
		switch {
		case c.tx.Header.Nonce < nonce:
			return -1
		case c.tx.Header.Nonce > nonce:
			return 1
		}
		return 0
	})
}

// before is the balance that a transaction at position i would start from.
func (a *account) before(i int) uint64 {
	if i == 0 {
		return a.balance
	}
	return a.list[i-1].post
}

// settle recomputes balances from position i on and returns the transactions
// that no longer fit, which it drops. A later one may still fit.
func (a *account) settle(i int) (dropped []*Tx) {
	balance := a.before(i)
	kept := a.list[:i]
	for _, c := range a.list[i:] {
		spending := c.tx.Spending()
		if spending > balance {
			dropped = append(dropped, c.tx)
			continue
		}
		balance -= spending
		kept = append(kept, candidate{tx: c.tx, post: balance})
	}
	a.list = kept
	a.more = a.more || len(dropped) > 0
	return dropped
}

// fill replaces the list by the best of txs, which are in order of nonce and
// then of preference among equals. With a seed the choice is a block's.
func (a *account) fill(txs []Tx, seed []byte) {
	a.list, a.more = nil, false
	groups, balance := 0, a.balance
	for start := 0; start < len(txs); groups++ {
		end := start + 1
		for end < len(txs) && txs[end].Header.Nonce == txs[start].Header.Nonce {
			end++
		}
		group := txs[start:min(end, start+MaxPerNonce)]
		start = end
		if len(a.list) == MaxNonces || group[0].Header.Nonce < a.nonce {
			continue
		}
		if best := bestOf(group, balance, seed); best != nil {
			balance -= best.Spending()
			a.list = append(a.list, candidate{tx: best, post: balance})
		}
	}
	a.more = groups > len(a.list)
}

// bestOf is the best transaction of one nonce among those that balance covers.
func bestOf(group []Tx, balance uint64, seed []byte) (best *Tx) {
	for i := range group {
		tx := &group[i]
		if tx.Spending() <= balance && (best == nil || Better(tx, best, seed)) {
			best = tx
		}
	}
	return best
}
