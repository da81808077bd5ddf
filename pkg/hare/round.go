package hare

import "github.com/smeshery/smeshery/pkg/wire"

const topGrade = 6

// Delay is the number of network delays between a message's round and the
// round in which it came (spec 05 §5.2).
func Delay(now, since wire.IterRound) uint32 {
	a, b := now.Absolute(), since.Absolute()
	if a <= b {
		return 0
	}
	if since == (wire.IterRound{}) {
		// The first iteration has no hardlock.
		return a - b - 1
	}
	return a - b
}

// Grade is how timely a message came, 6 being best. Delays above 6 wrap to high
// grades; the network counts on it (spec 05 §5.2).
func Grade(now, since wire.IterRound) uint8 { return uint8(topGrade - Delay(now, since)) }

// next is the round that follows.
func next(at wire.IterRound) wire.IterRound {
	switch {
	case at == (wire.IterRound{}):
		at.Round = wire.Softlock
	case at.Round == wire.Notify:
		at.Iter++
		at.Round = wire.Hardlock
	default:
		at.Round++
	}
	return at
}

// NextSpeaking is the next round in which identities may send.
func NextSpeaking(at wire.IterRound) wire.IterRound {
	for at = next(at); !speaks(at.Round); {
		at = next(at)
	}
	return at
}

// speaks tells whether identities may send in the round.
func speaks(r wire.HareRound) bool { return lists(r) || refers(r) }

// lists tells whether the round's messages carry proposals.
func lists(r wire.HareRound) bool { return r == wire.Preround || r == wire.Propose }

// refers tells whether the round's messages carry a reference.
func refers(r wire.HareRound) bool { return r == wire.Commit || r == wire.Notify }

// ListReference is the name of an ordered list of proposals (spec 05 §3.2).
func ListReference(list []wire.ProposalID) wire.Hash32 { return wire.HashPresorted20(list, nil) }
