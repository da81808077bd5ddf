package poet

import "github.com/smeshery/smeshery/pkg/rule"

// Rule names what a proof, certificate or registration broke.
type Rule string

// Rules of the sequential work's proof (spec 03 §6.1), in the order they are checked.
const (
	RuleLeafCount  Rule = "leaf_count_mismatch"
	RuleIndexCount Rule = "index_count_mismatch"
	RuleMerkleRoot Rule = "merkle_root_mismatch"
	RuleLabel      Rule = "label_mismatch"
)

// Rules of membership proofs (spec 03 §5).
const (
	RuleMembershipShape Rule = "precondition_error"
	RuleMembershipRoot  Rule = "root_mismatch"
)

// Rules of fetched proofs (spec 03 §17.2).
const (
	RuleMalformed Rule = "decode_error"
	RuleWrongHash Rule = "wrong_hash"
)

// Rules of certificates (spec 03 §8.4), in the order they are checked.
const (
	RuleCertificateSignature Rule = "signature_mismatch"
	RuleCertificateData      Rule = "certificate_decode_error"
	RuleCertificatePubkey    Rule = "pubkey_mismatch"
	RuleCertificateExpired   Rule = "expired"
)

// Rules of the registration proof of work (spec 03 §8.3).
const (
	RulePowParams Rule = "invalid_pow_parameters"
	RulePowNode   Rule = "invalid_pow_node"
	RulePowHash   Rule = "invalid_leading_zero_bits"
)

// RuleATXWeight says that ticks and units do not fit their types (spec 03 §17.4).
const RuleATXWeight Rule = "overflow"

// RuleError says that someone else's data broke a rule.
type RuleError = rule.Error[Rule]

// Broken is a rule's error without detail, for errors.Is.
func (r Rule) Broken() error { return &RuleError{Rule: r} }

func (r Rule) because(format string, args ...any) error { return rule.Broken(r, format, args...) }
