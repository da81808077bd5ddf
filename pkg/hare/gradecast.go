package hare

import (
	"slices"

	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
)

// cast is a proposed list with the grade that gradecast gives it.
type cast struct {
	entry *entry
	grade uint8
}

// reference names the list; the name is computed once.
func (c cast) reference() wire.Hash32 {
	if !c.entry.hasReference {
		c.entry.reference, c.entry.hasReference = ListReference(c.entry.list), true
	}
	return c.entry.reference
}

// gradecast is CAST((iter, propose)): the usable proposed lists, the leader's
// first (spec 05 §5.5).
func (p *Protocol) gradecast(iter uint8) []cast {
	target := wire.IterRound{Iter: iter, Round: wire.Propose}
	log := p.rounds[target]
	if log == nil {
		return nil
	}
	var out []cast
	for i := range log.entries {
		if grade := castGrade(&log.entries[i], target); grade > 0 {
			out = append(out, cast{&log.entries[i], grade})
		}
	}
	slices.SortStableFunc(out, func(a, b cast) int { return vrf.Compare(a.entry.proof, b.entry.proof) })
	return out
}

// castGrade is 2 or 1, or 0 for a list that came too late, from a sender known
// to be malicious, or too close to a second one.
func castGrade(e *entry, target wire.IterRound) uint8 {
	if e.malicious && !e.hasOther {
		return 0
	}
	delay, other := Delay(e.received, target), ^uint32(0)
	if e.hasOther {
		other = Delay(e.otherReceived, target)
	}
	switch {
	case e.grade == bestEligibility && delay <= 1 && other > 3:
		return 2
	case e.grade >= bestEligibility-1 && delay <= 2 && other > 2:
		return 1
	}
	return 0
}
