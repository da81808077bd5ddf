package mempool

import (
	"bytes"
	"cmp"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Limits of spec 07 §13.1.
const (
	// MaxNonces is how many transactions of an account are considered.
	MaxNonces = 100
	// MaxPerNonce is how many candidates for one nonce are considered.
	MaxPerNonce = 100
)

// Tx is a transaction whose header is known.
type Tx struct {
	ID     wire.TransactionID
	Header wire.TxHeader
	// Received is when it came, in unix nanoseconds.
	Received int64
	// Layer is the earliest layer known to include it, 0 if none is, and Block
	// the block in which it does, empty for a proposal.
	Layer wire.LayerID
	Block wire.BlockID
}

// Spending is the most the transaction takes from its principal, modulo 2^64.
func (t *Tx) Spending() uint64 { return t.Header.Fee() + t.Header.MaxSpend }

// Better tells whether a is to be preferred to b, which has the same principal
// and nonce. With a seed the choice is the same on every node; without one the
// earlier transaction wins, and equals are not better than each other (spec 07
// §13.3).
func Better(a, b *Tx, seed []byte) bool {
	if c := cmp.Compare(a.Header.Fee(), b.Header.Fee()); c != 0 {
		return c > 0
	}
	if len(seed) == 0 {
		return a.Received < b.Received
	}
	x, y := SeededHash(seed, a.ID), SeededHash(seed, b.ID)
	return bytes.Compare(x[:], y[:]) < 0
}

// SeededHash is the tie breaker between transactions of a block.
func SeededHash(seed []byte, id wire.TransactionID) wire.Hash32 { return wire.Sum(seed, id[:]) }
