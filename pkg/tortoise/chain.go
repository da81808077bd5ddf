package tortoise

import (
	"encoding/binary"

	"github.com/smeshery/smeshery/pkg/wire"
)

// segmentSize is how many layers share a segment at most.
const segmentSize = 64

// layerVote is the vote on one layer. It does not change once it is stored.
type layerVote struct {
	abstain bool
	// support in the order of compareBlocks; all others are voted against.
	support []*block
}

// hash continues the opinion of the layer before (spec 06 §9.3).
func (v *layerVote) hash(prev wire.Hash32, hasPrev bool, buf []byte) (wire.Hash32, []byte) {
	buf = startOpinion(buf, prev, hasPrev)
	for _, b := range v.support {
		buf = appendSupport(buf, b.id, b.height)
	}
	if v.abstain && len(v.support) == 0 {
		buf = append(buf, 0)
	}
	return wire.Sum(buf), buf
}

func startOpinion(buf []byte, prev wire.Hash32, hasPrev bool) []byte {
	if buf = buf[:0]; hasPrev {
		buf = append(buf, prev[:]...)
	}
	return buf
}

func appendSupport(buf []byte, id wire.BlockID, height uint64) []byte {
	return binary.LittleEndian.AppendUint64(append(buf, id[:]...), height)
}

// OpinionHash is one link of the hash chain over layers (spec 06 §9.3). prev is
// nil for the first; supported blocks are in ascending (height, id) order.
func OpinionHash(prev *wire.Hash32, abstain bool, supported []wire.Vote) wire.Hash32 {
	vote := layerVote{abstain: abstain}
	for _, v := range supported {
		vote.support = append(vote.support, &block{id: v.ID, height: v.Height})
	}
	var before wire.Hash32
	if prev != nil {
		before = *prev
	}
	hash, _ := vote.hash(before, prev != nil, nil)
	return hash
}

// slots are the votes of up to segmentSize layers from an aligned one. Several
// segments may show the same slots; only the free end is ever written.
type slots struct {
	used  int
	votes [segmentSize]*layerVote
}

// segment is a piece of a chain: the votes of layers first, first+1 … inside one
// aligned run of segmentSize layers, on top of an older piece.
//
// The opinion hash is kept where a segment starts and where a chain ends; hashes
// between them are computed again when a ballot builds on them.
type segment struct {
	prev    *segment
	first   wire.LayerID
	hash    wire.Hash32
	hasHash bool
	// kept: reachable from a stored ballot, and so known to the eviction.
	kept  bool
	slots *slots
}

func aligned(layer wire.LayerID) wire.LayerID { return layer - layer%segmentSize }

func (s *segment) at(layer wire.LayerID) *layerVote { return s.slots.votes[layer%segmentSize] }

// chain is the votes of a ballot on the layers before its own; end is the first
// layer that it does not vote on. Without a tail it is empty.
type chain struct {
	tail *segment
	end  wire.LayerID
}

// opinion is a chain with the hash that was signed for it. Ballots of a layer
// that agree share it.
type opinion struct {
	chain
	hash    wire.Hash32
	hasHash bool
	// trusted: hash was taken from storage and is not that of the chain.
	trusted bool
	// abstainLow to abstainHigh holds every layer that the chain abstains on;
	// empty when low > high.
	abstainLow, abstainHigh wire.LayerID
}

// find is the segment that votes on a layer, with the end of its votes.
func (c chain) find(layer wire.LayerID) (*segment, wire.LayerID) {
	end := c.end
	if layer >= end {
		return nil, 0
	}
	for s := c.tail; s != nil; s = s.prev {
		if s.first <= layer {
			return s, end
		}
		end = s.first
	}
	return nil, 0
}

// vote is the vote on a layer, nil outside of the chain.
func (c chain) vote(layer wire.LayerID) *layerVote {
	if s, _ := c.find(layer); s != nil {
		return s.at(layer)
	}
	return nil
}

// first is the oldest layer at or above low that the chain votes on, or its end.
func (c chain) firstFrom(low wire.LayerID) wire.LayerID {
	first := c.end
	for s := c.tail; s != nil; s = s.prev {
		if first = s.first; first <= low {
			return min(low, c.end)
		}
	}
	return first
}

// abstainsOn tells whether the chain abstains on a layer.
func (o *opinion) abstainsOn(layer wire.LayerID) bool {
	if layer < o.abstainLow || layer > o.abstainHigh {
		return false
	}
	vote := o.vote(layer)
	return vote != nil && vote.abstain
}

// hashBefore is the opinion on the layer before, which is what a vote on layer
// continues; ok is false at the start of the chain.
func (o *opinion) hashBefore(layer wire.LayerID, buf []byte) (hash wire.Hash32, ok bool, scratch []byte) {
	if layer >= o.end {
		return o.hash, o.hasHash, buf
	}
	s, _ := o.find(layer)
	if s == nil {
		return hash, false, buf
	}
	hash, ok = s.hash, s.hasHash
	for at := s.first; at < layer; at++ {
		hash, buf = s.at(at).hash(hash, ok, buf)
		ok = true
	}
	return hash, ok, buf
}

// builder appends votes to the part of a base that stays, sharing what it can.
type builder struct {
	base *opinion
	tail *segment
	next wire.LayerID
	// owned: tail was made here and may be filled.
	owned bool
}

// build makes the chain that keeps base before start and votes on from start on.
// marks are the hashes before the aligned layers inside of votes, in order, and
// before is the hash before start.
func build(base *opinion, start wire.LayerID, votes []*layerVote, before wire.Hash32, hasBefore bool, marks []wire.Hash32) chain {
	b := builder{base: base, tail: base.tail, next: start}
	for b.tail != nil && b.tail.first >= start {
		b.tail = b.tail.prev
	}
	// A hash that was taken on trust must stay where a segment starts.
	if b.tail == nil || aligned(b.tail.first) != aligned(start) || base.trusted && start >= base.end {
		b.open(before, hasBefore, votes)
	}
	for i, vote := range votes {
		if i > 0 && b.next%segmentSize == 0 {
			b.open(marks[0], true, votes[i:])
			marks = marks[1:]
		}
		b.add(vote)
	}
	return chain{tail: b.tail, end: b.next}
}

// open starts a segment; it shows the base's slots where they hold these votes.
func (b *builder) open(hash wire.Hash32, hasHash bool, votes []*layerVote) {
	s := &segment{prev: b.tail, first: b.next, hash: hash, hasHash: hasHash}
	b.tail, b.owned = s, true
	if same, end := b.base.find(b.next); same != nil {
		n := min(int(aligned(b.next)+segmentSize-b.next), len(votes))
		if int(end-b.next) >= n && agree(same, b.next, votes[:n]) {
			s.slots = same.slots
		}
	}
}

func agree(s *segment, first wire.LayerID, votes []*layerVote) bool {
	for i, vote := range votes {
		if s.at(first+wire.LayerID(i)) != vote {
			return false
		}
	}
	return true
}

func (b *builder) add(vote *layerVote) {
	slot := int(b.next % segmentSize)
	b.next++
	if s := b.tail.slots; s != nil && s.used > slot && s.votes[slot] == vote {
		return
	}
	if s := b.tail.slots; s == nil || s.used != slot {
		fresh := &slots{used: slot}
		if s != nil {
			copy(fresh.votes[:slot], s.votes[:slot])
		}
		if b.owned {
			b.tail.slots = fresh
		} else {
			old := b.tail
			b.tail = &segment{prev: old.prev, first: old.first, hash: old.hash, hasHash: old.hasHash, slots: fresh}
			b.owned = true
		}
	}
	b.tail.slots.votes[slot] = vote
	b.tail.slots.used++
}
