package proposal

import "github.com/smeshery/smeshery/pkg/wire"

// CheckVotes tells whether the differences that a ballot encodes contradict
// each other (spec 06 §7.5). Only these are looked at, not the opinion they
// decode to.
func CheckVotes(layer wire.LayerID, votes *wire.Votes, hdist, maxExceptions uint32) error {
	supported := make(map[wire.BlockID]bool, len(votes.Support))
	byLayer := make(map[wire.LayerID]wire.BlockID, len(votes.Support))
	for i := range votes.Support {
		v := &votes.Support[i]
		if other, twice := byLayer[v.LayerID]; twice && other != v.ID && uint64(v.LayerID)+uint64(hdist) > uint64(layer) {
			return broke(RuleDoubleVote, Reject, "supports %s and %s in layer %d", other, v.ID, v.LayerID)
		}
		byLayer[v.LayerID] = v.ID
		supported[v.ID] = true
	}
	voted := byLayer
	for i := range votes.Against {
		v := &votes.Against[i]
		if supported[v.ID] {
			return broke(RuleConflictingVotes, Reject, "for and against %s", v.ID)
		}
	}
	if n := len(supported); uint64(n) > uint64(maxExceptions) {
		return broke(RuleTooManyVotes, Reject, "%d exceptions of at most %d", n, maxExceptions)
	}
	for i := range votes.Against {
		voted[votes.Against[i].LayerID] = votes.Against[i].ID
	}
	for _, abstained := range votes.Abstain {
		if _, both := voted[abstained]; both {
			return broke(RuleConflictingVotes, Reject, "abstains and votes in layer %d", abstained)
		}
	}
	return nil
}
