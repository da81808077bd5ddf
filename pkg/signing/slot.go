package signing

import "fmt"

// SlotKind is a row of the slot table. The zero kind signs nothing.
type SlotKind uint8

// Kinds. The numbers are stored with guarded slots and never reused.
const (
	SlotUnknown SlotKind = iota
	SlotATX
	SlotProposal
	SlotBallot
	SlotHare
	SlotCertify
	SlotBeaconFirst
	SlotBeaconFollowup
	SlotMarriage
	SlotPoet
	SlotVRF
)

// Slot is the place that one signature takes. Two different bodies in one
// guarded slot of an identity are equivocation.
type Slot struct {
	Kind  SlotKind
	Major uint32 // epoch or layer, as the kind says
	Minor uint32 // round, or 0
}

// SlotRule says how slots of one kind are guarded.
type SlotRule struct {
	Name   string
	Domain Domain // meaningless for SlotVRF, which has none
	// Guarded slots are recorded before they are signed.
	Guarded bool
	// Reason says why a kind is not guarded, or what two signatures would cost.
	Reason string
}

// RuleOf is the slot table. It is false for a kind that must not be signed.
func RuleOf(k SlotKind) (SlotRule, bool) {
	switch k {
	case SlotATX:
		return SlotRule{"atx", ATX, true, "publish epoch; two ATXs in an epoch are malfeasance proof 1"}, true
	case SlotProposal:
		return SlotRule{"proposal", Proposal, true, "layer; one proposal carries one ballot"}, true
	case SlotBallot:
		return SlotRule{"ballot", Ballot, true, "layer; two ballots in a layer are malfeasance proof 2"}, true
	case SlotHare:
		return SlotRule{"hare", Hare, true, "layer and absolute round; two messages are malfeasance proof 3"}, true
	case SlotCertify:
		return SlotRule{"certify", Hare, true, "layer; certifying two blocks splits certificates"}, true
	case SlotBeaconFirst:
		return SlotRule{"beacon_first", BeaconFirst, true, "epoch; a second first vote is dropped"}, true
	case SlotBeaconFollowup:
		return SlotRule{"beacon_followup", BeaconFollowup, true, "epoch and round; a second vote is dropped"}, true
	case SlotMarriage:
		return SlotRule{"marriage", Marriage, true, "once for ever; marrying twice is malfeasance"}, true
	case SlotPoet:
		return SlotRule{"poet", Poet, false, "registrations are between identity and PoET, and repeating or " +
			"changing one only wastes a place in a round"}, true
	case SlotVRF:
		return SlotRule{"vrf", 0, false, "a proof is determined by key and input, so two proofs " +
			"of one input made by rule are equal"}, true
	}
	return SlotRule{}, false
}

// Kinds are all kinds of the table, in order.
func Kinds() []SlotKind {
	return []SlotKind{
		SlotATX, SlotProposal, SlotBallot, SlotHare, SlotCertify,
		SlotBeaconFirst, SlotBeaconFollowup, SlotMarriage, SlotPoet, SlotVRF,
	}
}

// Guarded tells whether the slot must be recorded before it is signed. A kind
// that is not in the table counts as guarded.
func (s Slot) Guarded() bool {
	rule, ok := RuleOf(s.Kind)
	return !ok || rule.Guarded
}

// Number packs the slot's position into the integer a guard stores.
func (s Slot) Number() uint64 { return uint64(s.Major)<<32 | uint64(s.Minor) }

func (s Slot) String() string {
	rule, ok := RuleOf(s.Kind)
	if !ok {
		return fmt.Sprintf("unknown slot kind %d", s.Kind)
	}
	return fmt.Sprintf("%s/%d/%d", rule.Name, s.Major, s.Minor)
}
