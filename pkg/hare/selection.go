package hare

import (
	"slices"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Selection is what choosing a layer's initial proposals needs to know.
type Selection struct {
	// OwnHeights are the heights of the session's identities' ATXs, as far as
	// they are indexed for the epoch.
	OwnHeights []uint64
	Candidates []Candidate
}

// Candidate is a stored proposal of the layer.
type Candidate struct {
	ID  wire.ProposalID
	ATX wire.ATXID
	// Malicious is set if the smesher is, or the proposal itself is flagged.
	Malicious bool
	// Beacon is the one that the reference ballot declares.
	Beacon wire.Beacon
	// Indexed tells whether the ATX is in the index for the epoch; BaseHeight
	// comes from there.
	Indexed    bool
	BaseHeight uint64
}

// SelectProposals chooses the proposals that a session vouches for, ascending
// (spec 05 §7).
func SelectProposals(beacon wire.Beacon, s Selection) []wire.ProposalID {
	if len(s.OwnHeights) == 0 {
		return nil
	}
	minHeight := slices.Min(s.OwnHeights)
	perATX := make(map[wire.ATXID]int, len(s.Candidates))
	for _, c := range s.Candidates {
		perATX[c.ATX]++
	}
	out := make([]wire.ProposalID, 0, len(s.Candidates))
	for _, c := range s.Candidates {
		switch {
		case c.Malicious || perATX[c.ATX] > 1:
		case !c.Indexed:
			return nil
		case c.BaseHeight < minHeight && c.Beacon == beacon:
			out = append(out, c.ID)
		}
	}
	slices.SortFunc(out, wire.Compare20[wire.ProposalID])
	return out
}
