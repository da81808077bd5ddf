package malfeasance

import (
	"errors"
	"fmt"

	"github.com/smeshery/smeshery/pkg/rule"
)

// Rule names a rule that a proof broke. A broken rule rejects.
type Rule string

// Rules (spec 04 §15.2–15.3).
const (
	RuleMalformed       Rule = "malformed"
	RuleEligibility     Rule = "eligibility_present" // a deprecated field is set
	RuleWrongIdentity   Rule = "wrong_identity"      // sync: not who was asked for
	RuleSignature       Rule = "bad_signature"
	RuleUnknownIdentity Rule = "unknown_identity" // it has no ATX
	RuleNotEquivocation Rule = "not_equivocation"
	RuleSameATX         Rule = "same_atx"
	RuleIdentities      Rule = "identities_differ"
	RulePrevious        Rule = "previous_differs"
	RulePostIsValid     Rule = "post_is_valid"
	RuleNoPost          Rule = "no_post" // the ATX has no proof of space to check
)

// Rules of double marriages (spec 04 §16).
const (
	RuleATXSignature         Rule = "bad_atx_signature"
	RuleCertificateSignature Rule = "bad_certificate_signature"
	RuleMarriageProof        Rule = "bad_marriage_proof"
	RuleCertificateProof     Rule = "bad_certificate_proof"
)

// RuleError says that a peer's proof breaks a rule.
type RuleError = rule.Error[Rule]

func broken(r Rule, format string, args ...any) error { return rule.Broken(r, format, args...) }

// RuleOf is the rule that err says was broken, or "".
func RuleOf(err error) Rule { return rule.Of[Rule](err) }

// Errors that are not a peer's.
var (
	// ErrState wraps what Reader or Posts failed with.
	ErrState = errors.New("malfeasance state")
	// ErrNotMarried says that an ATX has no certificate of the identity, so
	// that no proof can be built.
	ErrNotMarried = errors.New("identity is not married in the atx")
)

func failed(doing string, err error) error { return fmt.Errorf("%w: %s: %w", ErrState, doing, err) }
