package block

import "github.com/smeshery/smeshery/pkg/rule"

// Rule names a reason to refuse.
type Rule string

// Why a block cannot be generated (spec 06 §10.2). The layer is then resolved by
// certificate or votes.
const (
	// RuleMeshHash: most proposals were made on another history than ours.
	RuleMeshHash Rule = "mesh_hash_differs"
	// RuleDuplicateATX: two proposals of one activation.
	RuleDuplicateATX Rule = "duplicate_atx"
	// RuleMissingTx: a transaction or its header is not stored.
	RuleMissingTx Rule = "missing_tx"
	// RuleNoSlots: a proposal's reference ballot declares no slots.
	RuleNoSlots Rule = "no_slots"
)

// Why a peer's block is refused (spec 06 §10.7). All but RuleDuplicateTx reject.
const (
	RuleMalformed       Rule = "malformed"
	RuleWrongID         Rule = "wrong_id"
	RuleBeforeGenesis   Rule = "before_genesis"
	RuleNoRewards       Rule = "no_rewards"
	RuleZeroWeight      Rule = "zero_weight"
	RuleDuplicateReward Rule = "duplicate_reward"
	// RuleDuplicateTx fails the block without blame for the peer.
	RuleDuplicateTx Rule = "duplicate_tx"
)

// Why a certificate is not saved, or not as the only one (spec 06 §11).
const (
	// RuleInvalidCertificate: too few valid messages.
	RuleInvalidCertificate Rule = "invalid_certificate"
	// RuleMultipleCertificates: another block of the layer is certified too. The
	// certificate is saved all the same.
	RuleMultipleCertificates Rule = "multiple_certificates"
)

// RuleError is a refusal.
type RuleError = rule.Error[Rule]

func refuse(r Rule, format string, args ...any) error { return rule.Broken(r, format, args...) }

// Verdict is what becomes of a message from gossip.
type Verdict uint8

const (
	// Unknown is no verdict; such a message is not relayed.
	Unknown Verdict = iota
	// Accept relays.
	Accept
	// Ignore does not relay and blames nobody.
	Ignore
	// Reject does not relay and blames the peer.
	Reject
)
