package mempool

import "errors"

// ErrOrder says that a layer is not the one after the last applied one.
var ErrOrder = errors.New("layer not in order")

// ErrResult says that an executed transaction is unknown or has a result: the
// layer must have been executed twice, or on another state.
var ErrResult = errors.New("result for an unknown or applied transaction")

// Rule names the rule that a transaction broke.
type Rule string

// Rules of spec 07 §13.2 and §14.1.
const (
	RuleNonce     Rule = "nonce too low"
	RuleBalance   Rule = "insufficient balance"
	RuleDuplicate Rule = "duplicate"
	RuleParse     Rule = "does not parse"
	RuleHash      Rule = "not the transaction asked for"
	RuleLimits    Rule = "layer limits"
	RuleFee       Rule = "no fee"
	RuleSignature Rule = "signature"
)

// RuleError says which rule a transaction broke.
type RuleError struct {
	Rule Rule
	// Cause says more, if there is more to say.
	Cause error
}

func (e *RuleError) Error() string {
	if e.Cause == nil {
		return string(e.Rule)
	}
	return string(e.Rule) + ": " + e.Cause.Error()
}

func (e *RuleError) Unwrap() error { return e.Cause }

func broken(rule Rule) error { return &RuleError{Rule: rule} }
