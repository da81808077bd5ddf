package tortoise

import "github.com/smeshery/smeshery/pkg/rule"

// Rule names a reason for which a ballot is refused or votes cannot be encoded.
type Rule string

// What peers' ballots can do wrong, or lack (spec 06 §9.4, §9.5).
const (
	// RuleBaseMissing: the base ballot is not known; fetch it.
	RuleBaseMissing Rule = "base_missing"
	// RuleATXMissing: the ATX of a first ballot is not in the index; fetch it.
	RuleATXMissing Rule = "atx_missing"
	// RuleCannotDecode: the layer is evicted or the reference ballot is unknown.
	RuleCannotDecode Rule = "cannot_decode"
	// RuleOutsideWindow: votes touch layers that are evicted.
	RuleOutsideWindow Rule = "votes_outside_window"
	// RuleOpinionMismatch: the votes do not hash to the signed opinion.
	RuleOpinionMismatch Rule = "opinion_mismatch"
	// RuleBaseNotEarlier: the base ballot is not in an earlier layer.
	RuleBaseNotEarlier Rule = "base_not_earlier"
	// RuleDuplicateVote: a block is named twice.
	RuleDuplicateVote Rule = "duplicate_block_in_votes"
	// RuleAbstainConflict: a layer is abstained twice, or abstained and voted on.
	RuleAbstainConflict Rule = "abstain_conflict"
	// RuleAgainstWrongHeight: a vote is withdrawn from a block with another height.
	RuleAgainstWrongHeight Rule = "against_wrong_height"
	// RuleBallotExists: the ballot is stored already.
	RuleBallotExists Rule = "ballot_exists"
	// RuleNoEligibility: the first ballot of an epoch claims no slots at all.
	RuleNoEligibility Rule = "no_eligibility"
	// RuleWeightOverflow: a weight is beyond what can be counted.
	RuleWeightOverflow Rule = "weight_overflow"
)

// Why own votes could not be encoded (spec 06 §9.9).
const (
	// RuleCoinMissing: a layer is undecided and the weak coin is not known.
	RuleCoinMissing Rule = "coinflip_missing"
	// RuleTooManyExceptions: votes differ from every base by too many blocks.
	RuleTooManyExceptions Rule = "too_many_exceptions"
	// RuleBaseAbstained: a base abstains on a layer that terminated since.
	RuleBaseAbstained Rule = "base_abstained_on_terminated_layer"
	// RuleUncounted: ballots wait for a beacon.
	RuleUncounted Rule = "uncounted_ballots"
	// RuleNoBase: there is no ballot to build on.
	RuleNoBase Rule = "no_base_ballot"
)

// Missing tells whether the rule fails for want of an object, which a fetch may
// cure, rather than because the ballot is wrong.
func (r Rule) Missing() bool {
	return r == RuleBaseMissing || r == RuleATXMissing || r == RuleCannotDecode
}

// RuleError is a refusal.
type RuleError = rule.Error[Rule]

func refuse(r Rule, format string, args ...any) error { return rule.Broken(r, format, args...) }
