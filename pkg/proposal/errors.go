package proposal

import (
	"errors"
	"fmt"
)

// Rule names a rule of spec 06 that a message can break.
type Rule string

// Rules of spec 06 §7, in the order in which they are checked.
const (
	RuleMalformed          Rule = "malformed"             // §7.1 row 1
	RuleBeforeGenesis      Rule = "before_genesis"        // §7.1 row 2
	RuleLayerProcessed     Rule = "layer_processed"       // §7.1 row 3
	RuleLayerInFuture      Rule = "layer_in_future"       // §7.1 row 4
	RuleProposalSignature  Rule = "proposal_signature"    // §7.1 row 5
	RuleBallotSignature    Rule = "ballot_signature"      // §7.1 row 6
	RuleWrongID            Rule = "wrong_id"              // §7.1 row 7
	RuleNoATX              Rule = "no_atx"                // §7.1 row 8
	RuleKnown              Rule = "known"                 // §7.1 row 9
	RuleNoEpochData        Rule = "no_epoch_data"         // §7.3 step 2
	RuleZeroBeacon         Rule = "zero_beacon"           // §7.3 step 2
	RuleEpochDataTwice     Rule = "epoch_data_with_ref"   // §7.3 step 2
	RuleNoSlots            Rule = "no_slots"              // §7.3, last paragraph
	RuleActiveSetEmpty     Rule = "active_set_empty"      // §7.4
	RuleUndecodableVotes   Rule = "undecodable_votes"     // §7.3 step 4
	RuleDoubleVote         Rule = "double_voting"         // §7.5 step 1
	RuleConflictingVotes   Rule = "conflicting"           // §7.5 steps 2 and 4
	RuleTooManyVotes       Rule = "overflow"              // §7.5 step 3
	RuleNoProofs           Rule = "no_proofs"             // §7.6 row 1
	RuleATXUnknown         Rule = "atx_unknown"           // §7.6 row 2
	RuleForeignATX         Rule = "foreign_atx"           // §7.6 row 3
	RuleActiveSetWeight    Rule = "active_set_weight"     // §7.6 row 4a
	RuleSlotCount          Rule = "slot_count"            // §7.6 row 4a
	RuleReferenceUnknown   Rule = "reference_unknown"     // §7.6 row 4c
	RuleReferenceMismatch  Rule = "reference_mismatch"    // §7.6 row 4c
	RuleSlotOutOfRange     Rule = "slot_out_of_range"     // §7.6 row 5
	RuleSlotOrder          Rule = "slot_order"            // §7.6 row 6
	RuleVRF                Rule = "vrf"                   // §7.6 row 7
	RuleWrongLayer         Rule = "wrong_layer"           // §7.6 row 8
	RuleDuplicateTx        Rule = "duplicate_transaction" // §7.1 row 12
	RuleTxsUnavailable     Rule = "transactions_missing"  // §7.1 row 13
	RuleEvicted            Rule = "layer_evicted"         // §7.1 row 15
	RuleMaliciousBallot    Rule = "malicious_ballot"      // §7.1 row 17
	RuleDependencyMissing  Rule = "dependency_missing"    // §7.3 step 3
	RuleDependencyRejected Rule = "dependency_rejected"   // §7.4
)

// Reaction is how the network treats who sent a message that broke a rule.
type Reaction uint8

// Reactions, mildest last.
const (
	// Reject costs the peer its connection.
	Reject Reaction = iota + 1
	// Ignore drops the message.
	Ignore
	// FetchIgnore drops the message, and on sync does not hold it against
	// the peer that served it.
	FetchIgnore
)

// RuleError says which rule a message broke and what follows.
type RuleError struct {
	Rule     Rule
	Reaction Reaction
	Detail   string
}

func (e *RuleError) Error() string {
	if e.Detail == "" {
		return string(e.Rule)
	}
	return string(e.Rule) + ": " + e.Detail
}

func broke(rule Rule, reaction Reaction, format string, args ...any) error {
	return &RuleError{Rule: rule, Reaction: reaction, Detail: fmt.Sprintf(format, args...)}
}

// RuleOf finds the broken rule in an error; it is false for failures of ours.
func RuleOf(err error) (*RuleError, bool) {
	var rule *RuleError
	ok := errors.As(err, &rule)
	return rule, ok
}

// ErrZeroTotalWeight says that slots cannot be counted against nothing.
var ErrZeroTotalWeight = errors.New("total weight of the active set is zero")

// ErrNoActiveSet says that no active set can be named yet (spec 06 §5.2).
var ErrNoActiveSet = errors.New("no active set")
