package tortoise

import (
	"maps"
	"slices"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// AppendSnapshot appends the whole state in a form that Restore continues from.
// Equal states have equal snapshots. A mainnet window takes some 12 MB.
func (t *Tortoise) AppendSnapshot(dst []byte) []byte {
	var sum wire.Hash32
	start := len(dst)
	// It cannot fail: lists in an image are bounded by their type alone.
	out, _ := codec.Append(append(dst, sum[:]...), t.image())
	sum = wire.Sum(out[start+len(sum):])
	copy(out[start:], sum[:])
	return out
}

// tables gives things that are pointed at their positions, from 1.
type tables struct {
	image    *image
	refs     map[*reference]uint32
	votes    map[*layerVote]uint32
	slots    map[*slots]uint32
	segments map[*segment]uint32
}

func (t *Tortoise) image() *image {
	m := &image{
		version: imageVersion,
		last:    t.last, processed: t.processed, verified: t.verified, evicted: t.evicted, pending: t.pending,
		counted: t.counted, mode: uint8(t.mode),
		localThreshold: number{t.localThreshold}, totalGood: number{t.totalGood}, before: t.before,
		malicious: slices.SortedFunc(maps.Keys(t.malicious), wire.Compare[wire.NodeID]),
	}
	for _, id := range slices.Sorted(maps.Keys(t.epochs)) {
		e := t.epochs[id]
		m.epochs = append(m.epochs, epochImage{id, number{e.weight}, e.height, e.beacon, e.hasBeacon})
	}
	x := &tables{
		image: m, refs: make(map[*reference]uint32), votes: make(map[*layerVote]uint32),
		slots: make(map[*slots]uint32), segments: make(map[*segment]uint32),
	}
	for _, l := range t.layers.row {
		m.layers = append(m.layers, x.layer(l))
	}
	for _, id := range slices.Sorted(maps.Keys(t.layers.ahead)) {
		m.layers = append(m.layers, x.layer(t.layers.ahead[id]))
	}
	for _, b := range t.retry {
		m.retry = append(m.retry, ballotRef{id: b.id, layer: b.layer})
	}
	for _, at := range slices.Sorted(maps.Keys(t.delayed)) {
		for _, b := range t.delayed[at] {
			m.delayed = append(m.delayed, ballotRef{id: b.id, layer: b.layer, at: at})
		}
	}
	return m
}

func (x *tables) layer(l *layer) layerImage {
	m := layerImage{
		id: l.id, terminated: l.terminated, linked: l.linked, pinned: l.pinned, coin: l.coin, refHeight: l.refHeight,
		opinion: l.opinion, emptyMargin: number{l.emptyMargin}, goodUncounted: number{l.goodUncounted},
	}
	for _, b := range l.blocks {
		m.blocks = append(m.blocks, blockImage{*b})
	}
	position := make(map[*opinion]uint32, len(l.opinions))
	for i, o := range l.opinions {
		position[o] = uint32(i)
		m.opinions = append(m.opinions, opinionImage{
			o.hash, o.hasHash, o.trusted, o.abstainLow, o.abstainHigh, x.segment(o.tail), o.end,
		})
	}
	for _, b := range l.ballots {
		m.ballots = append(m.ballots, ballotImage{
			b.id, b.malicious, b.badBeacon, number{b.weight}, x.reference(b.ref), position[b.opinion],
		})
	}
	return m
}

func (x *tables) reference(r *reference) uint32 {
	if n, ok := x.refs[r]; ok {
		return n
	}
	n := uint32(len(x.image.refs))
	x.refs[r] = n
	x.image.refs = append(x.image.refs, referenceImage{*r})
	return n
}

// segment enters a segment after those that it continues.
func (x *tables) segment(s *segment) uint32 {
	var fresh []*segment
	for at := s; at != nil && x.segments[at] == 0; at = at.prev {
		fresh = append(fresh, at)
	}
	for _, at := range slices.Backward(fresh) {
		x.image.segments = append(x.image.segments, segmentImage{
			x.segments[at.prev], at.first, at.hash, at.hasHash, x.slot(at.slots),
		})
		x.segments[at] = uint32(len(x.image.segments))
	}
	return x.segments[s]
}

func (x *tables) slot(s *slots) uint32 {
	if n := x.slots[s]; n != 0 {
		return n
	}
	var m slotsImage
	for m.first < uint32(s.used) && s.votes[m.first] == nil {
		m.first++
	}
	for _, vote := range s.votes[m.first:s.used] {
		m.votes = append(m.votes, x.vote(vote))
	}
	x.image.slots = append(x.image.slots, m)
	n := uint32(len(x.image.slots))
	x.slots[s] = n
	return n
}

func (x *tables) vote(v *layerVote) uint32 {
	if n := x.votes[v]; n != 0 || v == nil {
		return n
	}
	m := voteImage{abstain: v.abstain}
	for _, b := range v.support {
		m.support = append(m.support, b.header())
	}
	x.image.votes = append(x.image.votes, m)
	n := uint32(len(x.image.votes))
	x.votes[v] = n
	return n
}
