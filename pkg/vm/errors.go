package vm

import (
	"errors"

	"github.com/smeshery/smeshery/pkg/rule"
)

// ErrState says that accounts could not be read or hold bytes that no template
// can have written. It is our failure, never the sender's.
var ErrState = errors.New("account state unusable")

// ErrLayer says that a layer before the effective genesis was to be applied.
var ErrLayer = errors.New("layer before effective genesis")

// Rule names the rule that a transaction broke.
type Rule string

// Rules of parsing (spec 07 §6.1).
const (
	RuleSize       Rule = "transaction size"
	RuleMalformed  Rule = "transaction malformed"
	RuleNotSpawned Rule = "principal not spawned"
	RuleArguments  Rule = "spawn arguments"
)

// Rules that keep a parsed transaction out of a layer (spec 07 §7.1).
const (
	RuleGasPrice     Rule = "gas price zero"
	RuleIntrinsicGas Rule = "balance below intrinsic gas"
	RuleBlockGas     Rule = "block gas exhausted"
	RuleSignature    Rule = "signature"
	RuleNonce        Rule = "nonce too low"
)

// RuleError says which rule a transaction broke and how.
type RuleError = rule.Error[Rule]

func broken(r Rule, detail string) error { return &RuleError{Rule: r, Detail: detail} }
