package poet

import (
	"bytes"
	"slices"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Registration is a challenge that an identity registered for a round.
type Registration struct {
	NodeID    wire.NodeID
	Challenge Node
}

// ClosedRound is what registration hands to the worker, and what it later
// publishes with the proof.
type ClosedRound struct {
	// Members are the challenges in the order of their registrants' ids.
	Members []Node
	// Statement is the membership root; empty without members (spec 03 §4).
	Statement []byte
}

// CloseRound orders the registrations and computes their root (spec 03 §5,
// §9.3). An identity registers once; the same challenge may occur twice.
func CloseRound(registrations []Registration) ClosedRound {
	ordered := slices.Clone(registrations)
	slices.SortFunc(ordered, func(a, b Registration) int { return bytes.Compare(a.NodeID[:], b.NodeID[:]) })
	closed := ClosedRound{Members: make([]Node, len(ordered))}
	for i := range ordered {
		closed.Members[i] = ordered[i].Challenge
	}
	if root, ok := NewMembershipTree(closed.Members).Root(); ok {
		closed.Statement = root[:]
	}
	return closed
}
