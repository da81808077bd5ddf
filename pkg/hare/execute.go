package hare

import (
	"slices"

	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Output is what executing a round brings.
type Output struct {
	At wire.IterRound
	// Value is what identities with seats in the round say; nil for nothing.
	Value *wire.HareValue
	Coin  *bool
	// Result is the decided list; nil for none yet, empty for the empty list.
	Result     []wire.ProposalID
	Terminated bool
}

// Execute executes the round At and moves on (spec 05 §5.6).
func (p *Protocol) Execute() Output {
	out := Output{At: p.at}
	switch iter := p.at.Iter; p.at.Round {
	case wire.Preround:
		out.Value = &wire.HareValue{Proposals: p.initial}
	case wire.Hardlock:
		p.hardlock(iter-1, &out)
	case wire.Softlock:
		if iter > 0 && !p.hardLocked {
			p.locked, _ = p.pick(wire.IterRound{Iter: iter - 1, Round: wire.Commit}, 3)
		}
	case wire.Propose:
		out.Value = &wire.HareValue{Proposals: p.propose(iter)}
	case wire.Commit:
		out.Value = referring(p.commit(iter))
	case wire.Notify:
		ref := p.result
		if ref == nil {
			ref, _ = p.pick(wire.IterRound{Iter: iter, Round: wire.Commit}, 5)
		}
		out.Value = referring(ref)
	}
	if p.at.Round >= wire.Softlock && p.coin != nil && !p.coinOut {
		p.coinOut = true
		out.Coin = new(vrf.LSB(*p.coin) == 1)
	}
	p.at = next(p.at)
	return out
}

func referring(ref *wire.Hash32) *wire.HareValue {
	if ref == nil {
		return nil
	}
	return &wire.HareValue{Reference: ref}
}

func (p *Protocol) hardlock(before uint8, out *Output) {
	out.Terminated = p.result != nil
	ref, list := p.pick(wire.IterRound{Iter: before, Round: wire.Notify}, 5)
	if ref != nil && p.result == nil {
		p.result = ref
		// A result must not be nil, not even an empty one.
		out.Result = append(make([]wire.ProposalID, 0, len(list)), list...)
	}
	p.locked, _ = p.pick(wire.IterRound{Iter: before, Round: wire.Commit}, 4)
	p.hardLocked = p.locked != nil
}

func (p *Protocol) propose(iter uint8) []wire.ProposalID {
	if iter > 0 {
		if ref, list := p.pick(wire.IterRound{Iter: iter - 1, Round: wire.Commit}, 2); ref != nil {
			return list
		}
	}
	return p.proposals(4).sorted()
}

// commit is the reference to commit to, or nil.
func (p *Protocol) commit(iter uint8) *wire.Hash32 {
	casts := p.gradecast(iter)
	s2 := p.proposals(2)
	for _, c := range casts {
		if s2.covers(c.entry.list) {
			p.valid[c.reference()] = c.entry.list
		}
	}
	if p.hardLocked {
		return p.locked
	}
	s3, s5 := p.proposals(3), p.proposals(5)
	// In the first iteration this wraps to 255, as everywhere on the network.
	before := p.references(wire.IterRound{Iter: iter - 1, Round: wire.Commit}, 1)
	for _, c := range casts {
		list, ref := c.entry.list, c.reference()
		_, valid := p.valid[ref]
		if valid && c.grade == 2 && s3.covers(list) &&
			(s5.within(list) || slices.Contains(before, ref)) &&
			(p.locked == nil || *p.locked == ref) {
			return &ref
		}
	}
	return nil
}
