package post

import (
	"errors"
	"fmt"

	"github.com/smeshery/smeshery/pkg/rule"
)

// Rule names a rule that a peer's proof or nonce broke.
type Rule string

// The rules of a proof in the order in which they are checked (spec 02 §9.2).
const (
	RuleNumUnitsTooSmall  Rule = "num units too small"
	RuleNumUnitsTooLarge  Rule = "num units too large"
	RuleNonceGroup        Rule = "nonce group out of bounds"
	RulePow               Rule = "invalid pow"
	RuleIndicesLength     Rule = "invalid indices length"
	RuleNumLabels         Rule = "invalid number of labels"
	RuleIndexMsb          Rule = "index fails most significant byte"
	RuleIndexLsb          Rule = "index fails least significant bits"
	RuleVRFNonce          Rule = "vrf nonce not below difficulty" // spec 02 §2.3
	RuleVRFNumLabels      Rule = "too few labels for a vrf nonce" // spec 02 §2.3
	RulePackedIndexLength Rule = "packed indices too short"       // spec 02 §8
)

// RuleError says that the input broke a rule. Everything else that functions of
// this package return means that we failed, not the peer.
type RuleError = rule.Error[Rule]

func broken(r Rule, format string, args ...any) error { return rule.Broken(r, format, args...) }

// IndexError is the only failure that can be held against the prover: the label
// behind an index is not good for the nonce. A malfeasance proof carries Ordinal
// (spec 02 §9.2).
type IndexError struct {
	Rule    Rule   // RuleIndexMsb or RuleIndexLsb
	Ordinal int    // position in the proof's list of indices
	Index   uint64 // of the label
	Label   [LabelSize]byte
	Got     uint64 // the byte or the 56 bits that were compared
	Limit   uint64 // what they were compared with
}

func (e *IndexError) Error() string {
	return fmt.Sprintf("post: %s: ordinal %d, label %d (%x): %d against %d",
		e.Rule, e.Ordinal, e.Index, e.Label, e.Got, e.Limit)
}

// RuleOf returns the rule that err says was broken, or "" when err is not about
// a rule.
func RuleOf(err error) Rule {
	if e, ok := errors.AsType[*IndexError](err); ok {
		return e.Rule
	}
	return rule.Of[Rule](err)
}

// InvalidIndex returns the ordinal of the index that failed, if that is what err
// says.
func InvalidIndex(err error) (ordinal int, ok bool) {
	if e, is := errors.AsType[*IndexError](err); is {
		return e.Ordinal, true
	}
	return 0, false
}

// Errors of use, which no peer causes.
var (
	ErrScryptParams = errors.New("post: scrypt parameters must be powers of two, N at least 2")
	ErrNoPow        = errors.New("post: verifier has no pow hasher")
	ErrNumUnits     = errors.New("post: number of units is zero")
	ErrNonceRange   = errors.New("post: nonces must be a positive multiple of 16 within the 4096 of a challenge")
)
