package hare

import "github.com/smeshery/smeshery/pkg/rule"

// Verdict is the outcome of judging a gossip message (spec 05 §0.3).
type Verdict uint8

// Verdicts. The zero value is Ignore: what nobody vouched for is not passed on.
const (
	// Ignore drops the message without blame.
	Ignore Verdict = iota
	// Accept passes the message on.
	Accept
	// Reject drops the message and the peer that delivered it.
	Reject
	// Pending has no outcome yet: a fetch decides.
	Pending
)

func (v Verdict) String() string {
	switch v {
	case Accept:
		return "accept"
	case Reject:
		return "reject"
	case Pending:
		return "pending"
	}
	return "ignore"
}

// Rule names why a message was not accepted.
type Rule string

// Rules, by the order of the checks (spec 05 §4, §10).
const (
	// Decoding: the bytes are no hare message.
	Decoding Rule = "decoding_error"
	// Form: a reference where none belongs, or none where one does.
	Form Rule = "validation"
	// RoundRange: the round's number is above notify's.
	RoundRange Rule = "round_out_of_range"
	// NotRegistered: the layer has no session, not yet or not any more.
	NotRegistered Rule = "is_not_registered"
	// NoProposals: a compact list for a layer without local proposals.
	NoProposals Rule = "no_proposals"
	// FetchFull: the full list of a compact one could not be had.
	FetchFull Rule = "fetch_full"
	// ProposalsMismatch: the full list is not as long as the compact one.
	ProposalsMismatch Rule = "proposals_mismatch"
	// InvalidSignature: the sender did not sign it.
	InvalidSignature Rule = "invalid_signature"
	// ZeroGrade: the sender does not have the seats it claims.
	ZeroGrade Rule = "zero_grade"
	// GradedGossip: nothing new, or a third message of an equivocator.
	GradedGossip Rule = "dropped_by_graded_gossip"
)

// RuleError says which rule a message met, and how.
type RuleError = rule.Error[Rule]

// verdict is what breaking the rule means for the message.
func (r Rule) verdict() Verdict {
	switch r {
	case Decoding, Form, InvalidSignature:
		return Reject
	}
	return Ignore
}

func broken(r Rule, format string, args ...any) *RuleError { return rule.Broken(r, format, args...) }
