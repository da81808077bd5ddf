package rest

import (
	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Members are the registrations of an open round (spec 03 §8.2 checks 6–8).
type Members struct {
	limit      uint64
	challenges map[wire.NodeID]poet.Node
}

// NewMembers is a round without registrations that takes up to limit.
func NewMembers(limit uint64) *Members {
	return &Members{limit: limit, challenges: map[wire.NodeID]poet.Node{}}
}

// Add registers a challenge; isNew is false for a repetition, which is welcome
// unless the round is full. Its error is a Status.
func (m *Members) Add(r poet.Registration) (isNew bool, err error) {
	if uint64(len(m.challenges)) >= m.limit {
		return false, refuse(CodeResourceExhausted, "maximum number of round members reached")
	}
	known, repeated := m.challenges[r.NodeID]
	if repeated && known != r.Challenge {
		return false, refuse(CodeAlreadyExists, "conflicting registration")
	}
	m.challenges[r.NodeID] = r.Challenge
	return !repeated, nil
}

// Close is the round over the registrations there are.
func (m *Members) Close() poet.ClosedRound {
	registrations := make([]poet.Registration, 0, len(m.challenges))
	for id, challenge := range m.challenges {
		registrations = append(registrations, poet.Registration{NodeID: id, Challenge: challenge})
	}
	// CloseRound sorts, so the order of the map does not show.
	return poet.CloseRound(registrations)
}
