package hare

import (
	"slices"

	"github.com/smeshery/smeshery/pkg/wire"
)

// bestEligibility is the only grade that eligibility gives besides 0.
const bestEligibility = 5

// votes are the seats behind an item. They are 16-bit and wrap.
type votes struct{ total, honest uint16 }

func (v *votes) add(e *entry) {
	v.total += e.count
	if !e.malicious {
		v.honest += e.count
	}
}

func (p *Protocol) carries(v votes) bool { return v.total >= p.threshold && v.honest > 0 }

// count feeds the round's entries that are timely enough, and at least as well
// graded as the worst honest one, to add (spec 05 §5.4).
func (p *Protocol) count(target wire.IterRound, grade uint8, add func(*entry)) {
	log := p.rounds[target]
	if log == nil {
		return
	}
	worst := uint8(bestEligibility)
	for i := range log.entries {
		e := &log.entries[i]
		if !e.malicious && Grade(e.received, target) >= grade {
			worst = min(worst, e.grade)
		}
	}
	for i := range log.entries {
		if e := &log.entries[i]; e.grade >= worst && Grade(e.received, target) >= grade {
			add(e)
		}
	}
}

// proposals is IDS((0, preround), grade).
func (p *Protocol) proposals(grade uint8) idSet {
	tally := make([]votes, p.known.len())
	p.count(wire.IterRound{}, grade, func(e *entry) {
		for _, id := range e.ids {
			tally[id].add(e)
		}
	})
	set := idSet{known: &p.known, member: make([]bool, len(tally))}
	for id, v := range tally {
		set.member[id] = p.carries(v)
	}
	return set
}

// references is REFS(target, grade), ascending.
func (p *Protocol) references(target wire.IterRound, grade uint8) []wire.Hash32 {
	tally := make(map[wire.Hash32]votes)
	p.count(target, grade, func(e *entry) {
		if e.hasReference {
			v := tally[e.reference]
			v.add(e)
			tally[e.reference] = v
		}
	})
	var out []wire.Hash32
	for ref, v := range tally {
		if p.carries(v) {
			out = append(out, ref)
		}
	}
	slices.SortFunc(out, wire.Compare[wire.Hash32])
	return out
}

// pick is PICK(target, grade): a reference that carries and whose list is valid.
// Should there be several, the smallest is as good as any.
func (p *Protocol) pick(target wire.IterRound, grade uint8) (*wire.Hash32, []wire.ProposalID) {
	for _, ref := range p.references(target, grade) {
		if list, ok := p.valid[ref]; ok {
			return &ref, list
		}
	}
	return nil, nil
}

// index numbers the proposals that preround messages name, so that a tally is
// a walk over an array.
type index struct {
	number map[wire.ProposalID]uint32
	ids    []wire.ProposalID
}

func (x *index) len() int { return len(x.ids) }

func (x *index) intern(list []wire.ProposalID) []uint32 {
	if x.number == nil {
		x.number = make(map[wire.ProposalID]uint32)
	}
	out := make([]uint32, len(list))
	for i, id := range list {
		n, ok := x.number[id]
		if !ok {
			n = uint32(len(x.ids))
			x.number[id] = n
			x.ids = append(x.ids, id)
		}
		out[i] = n
	}
	return out
}

// idSet is a set of proposals.
type idSet struct {
	known  *index
	member []bool
}

func (s idSet) sorted() []wire.ProposalID {
	out := []wire.ProposalID{}
	for i, in := range s.member {
		if in {
			out = append(out, s.known.ids[i])
		}
	}
	slices.SortFunc(out, wire.Compare20[wire.ProposalID])
	return out
}

func (s idSet) has(id wire.ProposalID) bool {
	n, ok := s.known.number[id]
	return ok && s.member[n]
}

// covers tells whether every proposal of the list is in the set.
func (s idSet) covers(list []wire.ProposalID) bool {
	return !slices.ContainsFunc(list, func(id wire.ProposalID) bool { return !s.has(id) })
}

// within tells whether every proposal of the set is in the list.
func (s idSet) within(list []wire.ProposalID) bool {
	listed := make([]bool, len(s.member))
	for _, id := range list {
		if n, ok := s.known.number[id]; ok {
			listed[n] = true
		}
	}
	for i, in := range s.member {
		if in && !listed[i] {
			return false
		}
	}
	return true
}
