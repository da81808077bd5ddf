package mempool

import (
	"slices"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Select is the sequence from which proposals of a layer are filled: the best
// paid transactions that fit the gas limit, in nonce order per account (spec 07
// §15.1). Candidates are as Pool.Candidates gives them. The sequence is the same
// for all identities of a node.
func Select(candidates [][]*Tx, gasLimit uint64) []*Tx {
	h := newHeads(candidates)
	var out []*Tx
	for gasLimit > 0 {
		for len(h) > 0 && h[0].txs[0].Header.MaxGas > gasLimit {
			h.pop() // and the whole account with it: its later nonces cannot go first
		}
		if len(h) == 0 {
			break
		}
		tx := h[0].txs[0]
		gasLimit -= tx.Header.MaxGas
		out = append(out, tx)
		h.advance()
	}
	return out
}

// Propose is what an identity proposes that may list n transactions of a
// sequence: all of it in order, or the transactions at n random places, kept in
// nonce order per account. The seed is the node's own random choice.
func Propose(sequence []*Tx, n int, seed [32]byte) []wire.TransactionID {
	if len(sequence) <= n {
		out := make([]wire.TransactionID, len(sequence))
		for i, tx := range sequence {
			out[i] = tx.ID
		}
		return out
	}
	return shuffled(sequence, n, seed)
}

// shuffled shuffles txs, which are in nonce order per account, and emits for
// each of the first n places the next transaction of the account at that place.
func shuffled(txs []*Tx, n int, seed [32]byte) []wire.TransactionID {
	queues := make(map[wire.Address][]*Tx)
	for _, tx := range txs {
		queues[tx.Header.Principal] = append(queues[tx.Header.Principal], tx)
	}
	drawn := drawn(slices.Clone(txs), queues, n, seed)
	out := make([]wire.TransactionID, len(drawn))
	for i, tx := range drawn {
		out[i] = tx.ID
	}
	return out
}

// drawn shuffles places and takes, for each of the first n, the next transaction
// of the principal at that place from its queue.
func drawn(places []*Tx, queues map[wire.Address][]*Tx, n int, seed [32]byte) []*Tx {
	shuffle(seed, places)
	out := make([]*Tx, 0, min(n, len(places)))
	for _, place := range places[:min(n, len(places))] {
		queue := queues[place.Header.Principal]
		out = append(out, queue[0])
		queues[place.Header.Principal] = queue[1:]
	}
	return out
}

// heads is a heap of accounts, the one whose next transaction pays best first.
type heads []head

type head struct {
	fee uint64 // of txs[0]
	txs []*Tx
}

func newHeads(candidates [][]*Tx) heads {
	h := make(heads, 0, len(candidates))
	for _, txs := range candidates {
		if len(txs) > 0 {
			h = append(h, head{fee: txs[0].Header.Fee(), txs: txs})
		}
	}
	for i := len(h)/2 - 1; i >= 0; i-- {
		h.down(i)
	}
	return h
}

// before orders by higher fee, then earlier reception, then smaller id.
func (h heads) before(i, j int) bool {
	a, b := &h[i], &h[j]
	switch {
	case a.fee != b.fee:
		return a.fee > b.fee
	case a.txs[0].Received != b.txs[0].Received:
		return a.txs[0].Received < b.txs[0].Received
	}
	return wire.Compare(a.txs[0].ID, b.txs[0].ID) < 0
}

func (h heads) down(i int) {
	for {
		best := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h); child++ {
			if h.before(child, best) {
				best = child
			}
		}
		if best == i {
			return
		}
		h[i], h[best] = h[best], h[i]
		i = best
	}
}

// pop removes the first account.
func (h *heads) pop() {
	last := len(*h) - 1
	(*h)[0] = (*h)[last]
	(*h)[last] = head{}
	*h = (*h)[:last]
	h.down(0)
}

// advance moves the first account to its next transaction.
func (h *heads) advance() {
	first := &(*h)[0]
	if first.txs = first.txs[1:]; len(first.txs) == 0 {
		h.pop()
		return
	}
	first.fee = first.txs[0].Header.Fee()
	h.down(0)
}
