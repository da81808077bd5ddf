package mempool

import (
	"cmp"
	"math"
	"slices"

	"github.com/smeshery/smeshery/pkg/wire"
)

// BlockSeed is the common randomness of a block, from the ids of its proposals
// in any order (spec 07 §15.2).
func BlockSeed(proposals []wire.ProposalID) [32]byte {
	sorted := slices.Clone(proposals)
	slices.SortFunc(sorted, wire.Compare20[wire.ProposalID])
	padded := make([]byte, 0, 32*len(sorted))
	for _, id := range sorted {
		id32 := wire.Pad32(id)
		padded = append(padded, id32[:]...)
	}
	return wire.Sum(padded)
}

// BlockTx is a transaction of the proposals that a block is built from.
type BlockTx struct {
	Tx
	// Applied says that an earlier layer executed it.
	Applied bool
}

// BlockTxs are the transactions of a block in its order (spec 07 §15.2). Txs is
// the union of the proposals' transactions, each at its first occurrence. The
// list is cut by gasLimit unless it is 0, which is for a block whose transactions
// are executed before it is built.
func BlockTxs(txs []BlockTx, seed [32]byte, gasLimit uint64) []wire.TransactionID {
	chosen := chooseForBlock(txs, seed)
	slices.SortFunc(chosen, func(a, b *Tx) int { return wire.Compare(a.ID, b.ID) })
	byNonce := slices.Clone(chosen)
	slices.SortStableFunc(byNonce, func(a, b *Tx) int { return cmp.Compare(a.Header.Nonce, b.Header.Nonce) })
	ordered := orderForBlock(chosen, byNonce, seed)
	if gasLimit > 0 {
		ordered = prune(ordered, gasLimit)
	}
	out := make([]wire.TransactionID, len(ordered))
	for i, tx := range ordered {
		out[i] = tx.ID
	}
	return out
}

// chooseForBlock picks one transaction for each nonce of each principal, as if
// the principals were rich, and leaves out the leading applied ones.
func chooseForBlock(txs []BlockTx, seed [32]byte) []*Tx {
	applied := make(map[wire.TransactionID]bool)
	groups := make(map[wire.Address][]Tx)
	principals := []wire.Address{}
	for i := range txs {
		principal := txs[i].Header.Principal
		if _, seen := groups[principal]; !seen {
			principals = append(principals, principal)
		}
		groups[principal] = append(groups[principal], txs[i].Tx)
		if txs[i].Applied {
			applied[txs[i].ID] = true
		}
	}
	var out []*Tx
	for _, principal := range principals {
		group := groups[principal]
		slices.SortStableFunc(group, func(a, b Tx) int { return cmp.Compare(a.Header.Nonce, b.Header.Nonce) })
		rich := account{balance: math.MaxUint64}
		rich.fill(group, seed[:])
		first := slices.IndexFunc(rich.list, func(c candidate) bool { return !applied[c.tx.ID] })
		if first < 0 {
			continue
		}
		for _, c := range rich.list[first:] {
			out = append(out, c.tx)
		}
	}
	return out
}

// orderForBlock shuffles the places, which are sorted by id, and fills each with
// its principal's next nonce.
func orderForBlock(places, byNonce []*Tx, seed [32]byte) []*Tx {
	queues := make(map[wire.Address][]*Tx)
	for _, tx := range byNonce {
		queues[tx.Header.Principal] = append(queues[tx.Header.Principal], tx)
	}
	return drawn(places, queues, len(places), seed)
}

// prune cuts the list where the gas is used up. The subtraction wraps, as in the
// network's software, so that a list is cut only after a prefix that uses exactly
// the limit; block ids depend on it.
func prune(txs []*Tx, gas uint64) []*Tx {
	for i, tx := range txs {
		if gas == 0 {
			return txs[:i]
		}
		gas -= tx.Header.MaxGas
	}
	return txs
}
