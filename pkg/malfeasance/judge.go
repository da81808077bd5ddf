package malfeasance

import (
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Verdict is what happens to a proof at gossip and sync (spec 04 §15.3).
type Verdict uint8

// Verdicts. Unknown means that we failed: nothing is relayed and nobody is
// blamed.
const (
	Unknown Verdict = iota
	Accept
	Reject
)

func (v Verdict) String() string { return [...]string{"unknown", "accept", "reject"}[min(v, Reject)] }

// Effects are what a valid proof that is news leads to.
type Effects struct {
	NodeID wire.NodeID
	// Store is the encoded proof to keep, with the time it is stored; nil if
	// whoever found the evidence stored it already.
	Store []byte
	// Notify: tell tortoise, cache and users that the identity is malicious.
	Notify bool
}

// Outcome is the judgement of a proof. Effects are committed even with a
// Reject: a peer that answers with a valid proof against somebody else is
// refused, its proof is not (spec 04 §15.3).
type Outcome struct {
	Verdict Verdict
	Err     error
	Effects *Effects
}

// JudgeGossip judges a message of the gossip topic. self says that this node
// published it, after it stored the evidence.
func (v *Validator) JudgeGossip(message []byte, self bool) Outcome {
	var g wire.MalfeasanceGossip
	if err := codec.Decode(message, &g); err != nil {
		return refused(broken(RuleMalformed, "%v", err))
	}
	if g.Eligibility != nil {
		return refused(broken(RuleEligibility, ""))
	}
	id, err := v.Validate(&g.MalfeasanceProof)
	if err != nil {
		return refused(err)
	}
	if self {
		return Outcome{Verdict: Accept, Effects: &Effects{NodeID: id, Notify: true}}
	}
	return v.news(id, &g.MalfeasanceProof)
}

// JudgeSync judges the answer to a request for the proof against want.
func (v *Validator) JudgeSync(answer []byte, want wire.NodeID) Outcome {
	var p wire.MalfeasanceProof
	if err := codec.Decode(answer, &p); err != nil {
		return refused(broken(RuleMalformed, "%v", err))
	}
	id, err := v.Validate(&p)
	if err != nil {
		return refused(err)
	}
	out := v.news(id, &p)
	if out.Verdict == Accept && id != want {
		out.Verdict, out.Err = Reject, broken(RuleWrongIdentity, "%v, not %v", id, want)
	}
	return out
}

// news keeps a valid proof if it is the first against its identity.
func (v *Validator) news(id wire.NodeID, p *wire.MalfeasanceProof) Outcome {
	known, err := v.Reader.Malicious(id)
	if err != nil {
		return refused(failed("look for malicious", err))
	}
	if known {
		return Outcome{Verdict: Accept}
	}
	return Outcome{Verdict: Accept, Effects: &Effects{NodeID: id, Store: codec.MustEncode(p), Notify: true}}
}

func refused(err error) Outcome {
	if RuleOf(err) != "" {
		return Outcome{Verdict: Reject, Err: err}
	}
	return Outcome{Err: err}
}
