package atx

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Candidate is an ATX that a new one may be built on.
type Candidate struct {
	ID        wire.ATXID
	Height    uint64
	Malicious bool
}

// CandidateEpoch is the publish epoch to look for candidates in: the newest
// with any ATX, but before that of the ATX to be made. publish is not 0.
func CandidateEpoch(newest, publish wire.EpochID) wire.EpochID { return min(newest, publish-1) }

// RankCandidates orders the candidates in which order they are tried: honest
// ones, greatest height first. Equal heights go by ID, which is a local choice
// (spec 04 §23.2). The argument is used up.
func RankCandidates(candidates []Candidate) []Candidate {
	honest := slices.DeleteFunc(candidates, func(c Candidate) bool { return c.Malicious })
	slices.SortFunc(honest, func(a, b Candidate) int {
		if order := cmp.Compare(b.Height, a.Height); order != 0 {
			return order
		}
		return bytes.Compare(a.ID[:], b.ID[:])
	})
	return honest
}

// FindCandidate returns the first of the ranked candidates whose chain
// verifies. It returns nil if there is none, or if verifying failed: a search
// that is cut short settles for the golden ATX (spec 04 §5.7).
func FindCandidate(ranked []Candidate, verify func(wire.ATXID) (bool, error)) *Candidate {
	for i := range ranked {
		valid, err := verify(ranked[i].ID)
		if err != nil {
			return nil
		}
		if valid {
			return &ranked[i]
		}
	}
	return nil
}

// ChoosePositioning settles between what was found for all identities and this
// identity's previous ATX; either may be nil.
func ChoosePositioning(golden wire.ATXID, found *Candidate, previous *Row) wire.ATXID {
	switch {
	case found == nil && previous == nil:
		return golden
	case found == nil, previous != nil && previous.Height() >= found.Height:
		return previous.ID
	}
	return found.ID
}
