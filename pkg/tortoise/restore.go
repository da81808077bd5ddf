package tortoise

import (
	"errors"
	"fmt"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

var errImage = errors.New("snapshot is of another version or damaged")

// fromSnapshot makes the state of which the snapshot was taken.
func fromSnapshot(params Params, index ATXIndex, snapshot []byte) (*Tortoise, error) {
	var m image
	var sum wire.Hash32
	if len(snapshot) < len(sum) || wire.Sum(snapshot[len(sum):]) != wire.Hash32(snapshot[:len(sum)]) {
		return nil, errImage
	}
	if err := codec.Decode(snapshot[len(sum):], &m); err != nil {
		return nil, fmt.Errorf("read snapshot: %w", err)
	}
	t := New(params, index)
	t.last, t.processed, t.verified, t.evicted = m.last, m.processed, m.verified, m.evicted
	t.pending, t.counted, t.mode = m.pending, m.counted, Mode(m.mode)
	t.localThreshold, t.totalGood, t.before = m.localThreshold.Number, m.totalGood.Number, m.before
	for _, node := range m.malicious {
		t.malicious[node] = struct{}{}
	}
	for _, e := range m.epochs {
		t.epochs[e.id] = &epoch{weight: e.weight.Number, height: e.height, beacon: e.beacon, hasBeacon: e.hasBeacon}
	}
	t.expected.stale = true
	if uint64(t.last) > uint64(t.evicted)+maxChain || t.last == unchanged || t.processed > t.last || t.mode > Full {
		return nil, errImage
	}
	r := &reader{t: t, image: &m}
	if r.layers(); !r.damaged {
		r.chains()
	}
	if !r.damaged {
		r.ballots()
	}
	if r.damaged {
		return nil, errImage
	}
	return t, nil
}

// reader turns positions into pointers again.
type reader struct {
	t        *Tortoise
	image    *image
	damaged  bool
	refs     []*reference
	votes    []*layerVote
	slots    []*slots
	segments []*segment
}

// pick is the element at a position from 1; 0 is nil.
func pick[T any](r *reader, list []*T, position uint32) *T {
	switch {
	case position == 0:
		return nil
	case int(position) > len(list):
		r.damaged = true
		return nil
	}
	return list[position-1]
}

// layers makes layers and blocks, so that votes can point to them.
func (r *reader) layers() {
	s := newLayers(r.t.evicted + 1)
	s.extend(r.t.last)
	for i := range r.image.layers {
		m := &r.image.layers[i]
		l := s.at(m.id)
		if l == nil {
			r.damaged = true
			return
		}
		l.terminated, l.linked, l.pinned, l.coin = m.terminated, m.linked, m.pinned, m.coin
		l.refHeight, l.opinion = m.refHeight, m.opinion
		l.emptyMargin, l.goodUncounted = m.emptyMargin.Number, m.goodUncounted.Number
		for _, stored := range m.blocks {
			b := stored.block
			b.layer, b.registered = m.id, true
			l.blocks = append(l.blocks, &b)
		}
	}
	r.t.layers = s
}

// chains makes all that is shared between ballots.
func (r *reader) chains() {
	for i := range r.image.refs {
		ref := r.image.refs[i].reference
		r.refs = append(r.refs, &ref)
	}
	for i := range r.image.votes {
		m := &r.image.votes[i]
		vote := &layerVote{abstain: m.abstain}
		for _, v := range m.support {
			vote.support = append(vote.support, r.t.voted(v))
		}
		r.votes = append(r.votes, vote)
	}
	for i := range r.image.slots {
		m := &r.image.slots[i]
		if int(m.first)+len(m.votes) > segmentSize {
			r.damaged = true
			return
		}
		s := &slots{used: int(m.first) + len(m.votes)}
		for j, vote := range m.votes {
			s.votes[int(m.first)+j] = pick(r, r.votes, vote)
		}
		r.slots = append(r.slots, s)
	}
	for _, m := range r.image.segments {
		s := &segment{first: m.first, hash: m.hash, hasHash: m.hasHash}
		s.prev, s.slots = pick(r, r.segments, m.prev), pick(r, r.slots, m.slots)
		if s.slots == nil || s.prev != nil && !s.prev.filled(s.first) {
			r.damaged = true
			return
		}
		r.segments = append(r.segments, s)
	}
}

// filled tells whether a segment has a vote on each layer before end.
func (s *segment) filled(end wire.LayerID) bool {
	if end <= s.first || aligned(end-1) != aligned(s.first) {
		return false
	}
	for id := s.first; id < end; id++ {
		if s.at(id) == nil {
			return false
		}
	}
	return true
}

func (r *reader) ballots() {
	t := r.t
	for i := range r.image.layers {
		m := &r.image.layers[i]
		l := t.layers.get(m.id)
		for _, o := range m.opinions {
			fresh := &opinion{
				chain: chain{tail: pick(r, r.segments, o.tail), end: o.end}, hash: o.hash, hasHash: o.hasHash,
				trusted: o.trusted, abstainLow: o.abstainLow, abstainHigh: o.abstainHigh,
			}
			r.damaged = r.damaged || o.end != m.id || fresh.tail != nil && !fresh.tail.filled(o.end)
			if r.damaged {
				return
			}
			t.keep(fresh.tail)
			l.opinions = append(l.opinions, fresh)
		}
		for _, b := range m.ballots {
			if int(b.ref) >= len(r.refs) || int(b.opinion) >= len(l.opinions) {
				r.damaged = true
				return
			}
			fresh := &ballot{
				id: b.id, layer: m.id, malicious: b.malicious, badBeacon: b.badBeacon, weight: b.weight.Number,
				ref: r.refs[b.ref], opinion: l.opinions[b.opinion],
			}
			l.ballots = append(l.ballots, fresh)
			t.ballots[b.id] = fresh
		}
	}
	for _, b := range r.image.retry {
		t.retry = append(t.retry, r.ballot(b))
	}
	for _, b := range r.image.delayed {
		t.delayed[b.at] = append(t.delayed[b.at], r.ballot(b))
	}
}

// ballot is a ballot that waits. One that was evicted meanwhile is known by its
// place in the order only; it is never counted.
func (r *reader) ballot(ref ballotRef) *ballot {
	if b := r.t.ballots[ref.id]; b != nil {
		return b
	}
	r.damaged = r.damaged || ref.layer > r.t.evicted
	return &ballot{id: ref.id, layer: ref.layer, malicious: true, ref: new(reference), opinion: emptyOpinion(ref.layer)}
}
