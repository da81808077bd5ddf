package beacon

import (
	"github.com/smeshery/smeshery/pkg/beacon/weakcoin"
	"github.com/smeshery/smeshery/pkg/rule"
)

// Verdict is what gossip does with a message (spec 05 §0.3).
type Verdict uint8

// Verdicts. Unknown means that we failed: nothing is relayed and nobody is
// blamed.
const (
	Unknown Verdict = iota
	Accept
	Ignore
	Reject
)

func (v Verdict) String() string {
	return [...]string{"unknown", "accept", "ignore", "reject"}[min(v, Reject)]
}

// Rule names why a message was not accepted.
type Rule string

// Rules (spec 05 §15.4, §16.1, §16.2, §19).
const (
	RuleMalformed    Rule = "malformed message"
	RuleNotListening Rule = "node does not listen to gossip"
	RuleNotRunning   Rule = "protocol is not running"
	RuleUntimely     Rule = "message is not for now"
	RuleNoState      Rule = "epoch is not active"
	RuleNoWeight     Rule = "epoch has no weight"
	RuleNotActive    Rule = "identity is not active"
	RuleNoNonce      Rule = "identity has no vrf nonce"
	RuleBadProof     Rule = "vrf proof does not verify"
	RuleBadSignature Rule = "signature does not verify"
	RuleRepeated     Rule = "identity spoke before"
	RuleNoFirstVote  Rule = "identity has no first vote"
	RuleUnknownTopic Rule = "topic is not the beacon's"
	RuleWeakCoin     Rule = "weak coin"
)

// RuleError says which rule a message broke.
type RuleError = rule.Error[Rule]

// Outcome is the judgement of one message. Err says why it was not accepted: a
// RuleError, or with Unknown the failure of ours.
type Outcome struct {
	Verdict Verdict
	Err     error
}

func accepted() Outcome { return Outcome{Verdict: Accept} }

func ignored(r Rule) Outcome { return Outcome{Verdict: Ignore, Err: &RuleError{Rule: r}} }

func malformed(err error) Outcome {
	return Outcome{Verdict: Reject, Err: &RuleError{Rule: RuleMalformed, Detail: err.Error()}}
}

func failed(err error) Outcome { return Outcome{Err: err} }

// coinOutcome translates the weak coin's judgement.
func coinOutcome(class weakcoin.Class) Outcome {
	switch class {
	case weakcoin.Accepted, weakcoin.Buffered:
		return accepted()
	case weakcoin.Malformed:
		return Outcome{Verdict: Reject, Err: &RuleError{Rule: RuleMalformed, Detail: string(class)}}
	}
	return Outcome{Verdict: Ignore, Err: &RuleError{Rule: RuleWeakCoin, Detail: string(class)}}
}
