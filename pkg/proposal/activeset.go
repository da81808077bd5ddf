package proposal

import (
	"fmt"
	"slices"
	"time"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Grade says how timely an ATX was (spec 06 §5.1).
type Grade uint8

// Grades, worst first.
const (
	Evil Grade = iota
	Acceptable
	Good
)

func (g Grade) String() string { return [...]string{"evil", "acceptable", "good"}[min(g, Good)] }

// GradeATX grades an ATX received at received, in an epoch that starts at
// start, where a malfeasance proof for its identity came at proof (zero time:
// never). All as nanoseconds since 1970; delay is the network's grade delay.
func GradeATX(received, start, proof int64, delay time.Duration) Grade {
	d := int64(delay)
	switch {
	case received < start-4*d && (proof == 0 || proof >= start):
		return Good
	case received < start-3*d && (proof == 0 || proof >= start-d):
		return Acceptable
	}
	return Evil
}

// Candidate is an ATX that may enter an active set.
type Candidate struct {
	ID     wire.ATXID
	Weight uint64
	// Received and ProofReceived are nanoseconds since 1970; no proof is 0.
	Received, ProofReceived int64
}

// ActiveSet is a set of ATXs with the name and the weight it has.
type ActiveSet struct {
	Hash   wire.Hash32
	Weight uint64
	// Set is ascending.
	Set []wire.ATXID
}

// ActiveSetInput is what choosing an active set looks at (spec 06 §5.2).
type ActiveSetInput struct {
	// Start is when the target epoch begins, in nanoseconds since 1970.
	Start int64
	Delay time.Duration
	// GoodPercent is how many percent of all ATXs must be good; 0 is 90.
	GoodPercent int
	// Candidates are all ATXs that target the epoch.
	Candidates []Candidate
	// Trusted is the set that the bootstrap channel delivered, or nil.
	Trusted []wire.ATXID
	// FirstBlock is the set of the epoch's first applied block (spec 06
	// §5.3), or nil where it may not be used yet or there is none.
	FirstBlock []wire.ATXID
}

// defaultGoodPercent is used where a network configures none.
const defaultGoodPercent = 90

// ChooseActiveSet names the set with which this node's identities vote. Its
// error is ErrNoActiveSet where none can be named yet.
func ChooseActiveSet(in ActiveSetInput) (*ActiveSet, error) {
	if in.Trusted != nil {
		return in.weigh(in.Trusted)
	}
	if len(in.Candidates) == 0 {
		return nil, fmt.Errorf("%w: no ATX targets the epoch", ErrNoActiveSet)
	}
	if set := in.good(); set != nil {
		return in.weigh(set)
	}
	if in.FirstBlock != nil {
		return in.weigh(in.FirstBlock)
	}
	return nil, fmt.Errorf("%w: too few good ATXs and no applied block yet", ErrNoActiveSet)
}

// good is the set of good ATXs, if they are enough.
func (in *ActiveSetInput) good() []wire.ATXID {
	var set []wire.ATXID
	for i := range in.Candidates {
		c := &in.Candidates[i]
		if GradeATX(c.Received, in.Start, c.ProofReceived, in.Delay) == Good {
			set = append(set, c.ID)
		}
	}
	percent := in.GoodPercent
	if percent == 0 {
		percent = defaultGoodPercent
	}
	if len(set)*100/len(in.Candidates) <= percent {
		return nil
	}
	return set
}

func (in *ActiveSetInput) weigh(ids []wire.ATXID) (*ActiveSet, error) {
	weights := make(map[wire.ATXID]uint64, len(in.Candidates))
	for i := range in.Candidates {
		weights[in.Candidates[i].ID] = in.Candidates[i].Weight
	}
	out := &ActiveSet{Set: slices.Clone(ids)}
	for _, id := range ids {
		weight, ok := weights[id]
		if !ok {
			return nil, fmt.Errorf("%w: ATX %s is not known", ErrNoActiveSet, id)
		}
		out.Weight += weight
	}
	if out.Weight == 0 {
		return nil, fmt.Errorf("%w: its weight is zero", ErrNoActiveSet)
	}
	slices.SortFunc(out.Set, wire.Compare[wire.ATXID])
	out.Hash = wire.HashATXList(out.Set)
	return out, nil
}

// FirstBlockSet joins the ATXs of an epoch's first applied block with the
// active sets that their first ballots name (spec 06 §5.3).
func FirstBlockSet(rewards []wire.AnyReward, named [][]wire.ATXID) []wire.ATXID {
	union := make([]wire.ATXID, 0, len(rewards))
	for i := range rewards {
		union = append(union, rewards[i].AtxID)
	}
	for _, set := range named {
		union = append(union, set...)
	}
	slices.SortFunc(union, wire.Compare[wire.ATXID])
	return slices.Compact(union)
}

// CheckActiveSet judges a set that a peer served under a hash (spec 06 §5.5).
// Equal neighbours pass, as they do everywhere.
func CheckActiveSet(set []wire.ATXID, want wire.Hash32) error {
	if !slices.IsSortedFunc(set, wire.Compare[wire.ATXID]) {
		return broke(RuleMalformed, Reject, "active set is not sorted")
	}
	if wire.HashATXList(set) != want {
		return broke(RuleWrongID, Reject, "active set does not hash to %s", want)
	}
	return nil
}
