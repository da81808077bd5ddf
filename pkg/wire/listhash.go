package wire

import (
	"encoding/binary"
	"slices"

	"github.com/zeebo/blake3"
)

// HashATXList hashes concatenated ids: the name of an active set (spec 01 §15.1).
func HashATXList(ids []ATXID) (out Hash32) {
	h := blake3.New()
	for i := range ids {
		_, _ = h.Write(ids[i][:])
	}
	h.Sum(out[:0])
	return out
}

// HashSorted20 sorts a copy of the ids and hashes it as HashPresorted20 does
// (spec 01 §3.4).
func HashSorted20[T ~[20]byte](ids []T, extra []byte) Hash32 {
	sorted := slices.Clone(ids)
	slices.SortFunc(sorted, Compare20[T])
	return HashPresorted20(sorted, extra)
}

// HashPresorted20 hashes extra and the ids in the given order, each padded to 32 bytes.
func HashPresorted20[T ~[20]byte](ids []T, extra []byte) (out Hash32) {
	h := blake3.New()
	_, _ = h.Write(extra)
	for _, id := range ids {
		padded := Pad32(id)
		_, _ = h.Write(padded[:])
	}
	h.Sum(out[:0])
	return out
}

// OpinionHasher chains the votes of one layer onto the opinion before it
// (spec 01 §3.5).
type OpinionHasher struct{ h *blake3.Hasher }

// NewOpinionHasher starts a layer; previous is nil for the first one.
func NewOpinionHasher(previous *Hash32) OpinionHasher {
	o := OpinionHasher{h: blake3.New()}
	if previous != nil {
		_, _ = o.h.Write(previous[:])
	}
	return o
}

// Abstain says that hare has not terminated.
func (o OpinionHasher) Abstain() { _, _ = o.h.Write([]byte{0}) }

// Support adds a block. Blocks come ascending by height, then id.
func (o OpinionHasher) Support(id BlockID, height uint64) {
	var b [28]byte
	copy(b[:], id[:])
	binary.LittleEndian.PutUint64(b[20:], height)
	_, _ = o.h.Write(b[:])
}

// Sum is the opinion after the layer.
func (o OpinionHasher) Sum() (out Hash32) {
	o.h.Sum(out[:0])
	return out
}
