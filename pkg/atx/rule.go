package atx

import (
	"errors"

	"github.com/smeshery/smeshery/pkg/rule"
)

// Rule names a rule that an ATX broke. A broken rule rejects.
type Rule string

// Rules of any ATX (spec 04 §8.1, §9, §10).
const (
	RuleMalformed         Rule = "malformed"
	RuleWrongHash         Rule = "wrong_hash" // sync: not what was asked for
	RuleSignature         Rule = "bad_signature"
	RulePublishEpoch      Rule = "publish_epoch_too_far"
	RuleEmptyPositioning  Rule = "empty_positioning"
	RulePositioningEpoch  Rule = "positioning_not_older"
	RuleCommitmentMissing Rule = "commitment_missing"
	RuleCommitmentEpoch   Rule = "commitment_not_older"
	RulePreviousEpoch     Rule = "previous_not_older"
	RuleVRFNonce          Rule = "invalid_vrf_nonce"
	RuleInitialPost       Rule = "invalid_initial_post"
	RulePost              Rule = "invalid_post"
	RuleMembership        Rule = "invalid_membership"
	RuleWeight            Rule = "weight_overflow"
	RuleNoCommitment      Rule = "no_commitment"          // identity never committed
	RuleDependency        Rule = "dependency_is_rejected" // spec 04 §8.2
)

// Rules of version 1 (spec 04 §9).
const (
	RuleNoNIPost           Rule = "no_nipost"
	RuleNoNIPostPost       Rule = "no_nipost_post"
	RuleNoMetadata         Rule = "no_post_metadata"
	RuleInitialPostMissing Rule = "initial_post_missing"
	RuleNodeIDMissing      Rule = "node_id_missing"
	RuleVRFNonceMissing    Rule = "vrf_nonce_missing"
	RuleEmptyCommitment    Rule = "empty_commitment"
	RuleSequenceNotZero    Rule = "sequence_not_zero"
	RuleNodeIDPresent      Rule = "node_id_present"
	RuleInitialPostPresent Rule = "initial_post_present"
	RuleCommitmentPresent  Rule = "commitment_present"
	RulePreviousOfOther    Rule = "previous_of_other_identity"
	RuleSequence           Rule = "sequence_mismatch"
	RuleNumUnits           Rule = "num_units_out_of_range"
	RuleLabelsPerUnit      Rule = "labels_per_unit_too_low"
	RuleIndexOfMalicious   Rule = "invalid_post_of_malicious_identity"
)

// Rules of version 2 (spec 04 §10).
const (
	RuleSoloOneNIPost      Rule = "solo_one_nipost"
	RuleSoloOnePost        Rule = "solo_one_post"
	RuleSoloPrevIndex      Rule = "solo_prev_index"
	RuleSoloOnePrevious    Rule = "solo_one_previous"
	RuleInitialMarriageATX Rule = "initial_with_marriage_atx"
	RuleInitialPrevious    Rule = "initial_with_previous"
	RulePreviousEmpty      Rule = "previous_empty"
	RulePreviousGolden     Rule = "previous_golden"
	RuleMergedMarriages    Rule = "merged_with_marriages"
	RuleMarriageIndexTwice Rule = "duplicate_marriage_index"
	RuleMarriageIndex      Rule = "marriage_index_out_of_bounds"
	RulePrevIndex          Rule = "prev_index_out_of_bounds"
	RulePreviousWithoutID  Rule = "previous_without_id"
	RuleNoSelfMarriage     Rule = "no_self_marriage"
	RuleMarriageSignature  Rule = "invalid_marriage_signature"
	RuleMarriageTwice      Rule = "duplicate_marriage"
	RuleNotMarried         Rule = "not_married"
	RuleMarriageATX        Rule = "marriage_atx_mismatch"
	RuleMarriageRecent     Rule = "marriage_too_recent"
	RuleSignerNotIncluded  Rule = "signer_not_included"
)

// RuleError says that a peer sent an ATX that breaks a rule.
type RuleError = rule.Error[Rule]

func broken(r Rule, format string, args ...any) error { return rule.Broken(r, format, args...) }

// RuleOf is the rule that err says was broken, or "".
func RuleOf(err error) Rule { return rule.Of[Rule](err) }

// Reasons not to accept an ATX that are nobody's fault, or our own.
var (
	// ErrKnown says that the ATX is stored already.
	ErrKnown = errors.New("atx is known")
	// ErrMalicious says that the ATX proves its identity malicious, so that a
	// proof travels instead of it.
	ErrMalicious = errors.New("atx is malicious")
	// ErrOwnDoublePublish and ErrOwnWrongPrevious stop an identity of ours
	// from storing evidence against itself.
	ErrOwnDoublePublish = errors.New("own identity published twice in an epoch")
	ErrOwnWrongPrevious = errors.New("own identity used a previous atx twice")
	// ErrNoEvidence says that an ATX collides with one whose signature we do
	// not have: it is checkpointed, or of another version.
	ErrNoEvidence = errors.New("colliding atx cannot serve as evidence")
	// ErrMissing says that dependencies have to be fetched first.
	ErrMissing = errors.New("atx dependencies are missing")
	// ErrState wraps what State or Proofs failed with.
	ErrState = errors.New("atx state")
)
