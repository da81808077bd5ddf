package atx

import (
	"errors"
	"fmt"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Process judges an ATX (spec 04 §8–§10, §13–§16). current is the epoch by the
// clock. One message is processed at a time for each ID.
//
// With Missing in the outcome the caller fetches and calls again, or gives up
// with Unavailable.
func (r *Rules) Process(m *Message, src Source, current wire.EpochID, s State, proofs Proofs) Outcome {
	if src.Sync && wire.Hash32(m.ID) != src.Want {
		return refused(broken(RuleWrongHash, "%v, not %v", m.ID, src.Want))
	}
	if err := r.admit(m, s); err != nil {
		return known(m, src, err)
	}
	if err := r.wellFormed(m, current, proofs); err != nil {
		return refused(err)
	}
	missing, err := r.MissingOf(m, s)
	if err != nil {
		return refused(err)
	}
	if !missing.Empty() {
		return Outcome{Err: ErrMissing, Missing: missing}
	}
	if m.V1 != nil {
		return r.finishV1(m, src, s, proofs)
	}
	return r.finishV2(m, s, proofs)
}

// admit checks the signature and whether the ATX is stored, in the order of the
// version: only version 1 looks at the signature of what it has.
func (r *Rules) admit(m *Message, s Reader) error {
	if m.V1 != nil {
		if err := m.checkSignature(r.Verifier); err != nil {
			return err
		}
	}
	_, stored, err := s.ATX(m.ID)
	if err != nil {
		return failed("look for atx", err)
	}
	if stored {
		return ErrKnown
	}
	return m.checkSignature(r.Verifier)
}

// wellFormed runs the checks that need no other ATX, once.
func (r *Rules) wellFormed(m *Message, current wire.EpochID, proofs Proofs) error {
	if m.stage == wellFormed {
		return nil
	}
	var err error
	if m.V1 != nil {
		err = r.syntaxV1(m.V1, current, proofs)
	} else {
		err = r.syntaxV2(m.V2, current, proofs)
	}
	if err == nil {
		m.stage = wellFormed
	}
	return err
}

func (r *Rules) finishV1(m *Message, src Source, s State, proofs Proofs) Outcome {
	row, err := r.contextV1(m, s, proofs)
	if bad, ok := errors.AsType[*badIndexError](err); ok {
		return r.accuse(m, bad.index, src, s)
	}
	if err != nil {
		return refused(err)
	}
	proof, err := r.detectV1(m, s)
	if err != nil {
		return refused(err)
	}
	out := Outcome{Verdict: Accept, Effects: &Effects{
		Row: &row, Blob: m.Blob, Version: Version1,
		Posts: []Post{{NodeID: row.NodeID, Previous: m.V1.PrevATXID, Units: m.V1.NumUnits}},
	}}
	if proof != nil {
		out.Effects.Proof = newProof(proof, !src.Sync)
		out.settleMalicious(src)
	}
	return out
}

// accuse makes a proof of a bad index; the ATX is not stored (spec 04 §9.12).
func (r *Rules) accuse(m *Message, index uint32, src Source, s State) Outcome {
	known, err := s.Malicious(m.NodeID())
	if err != nil {
		return refused(failed("read malicious", err))
	}
	if known {
		return refused(broken(RuleIndexOfMalicious, "index %d", index))
	}
	proof := r.proofFor(m, wire.InvalidPostIndex, &wire.InvalidPostIndexProof{Atx: *m.V1, InvalidIdx: index})
	out := Outcome{Verdict: Accept, Effects: &Effects{Proof: newProof(proof, !src.Sync)}}
	out.settleMalicious(src)
	return out
}

// settleMalicious lets a gossiped ATX die here, because its proof travels; a
// fetched one was a success.
func (o *Outcome) settleMalicious(src Source) {
	if !src.Sync {
		o.Verdict, o.Err = Ignore, ErrMalicious
	}
}

func (r *Rules) finishV2(m *Message, s State, proofs Proofs) Outcome {
	judged, err := r.contextV2(m, s, proofs)
	if err != nil {
		return refused(err)
	}
	effects := &Effects{Row: &judged.row, Blob: m.Blob, Version: Version2, Posts: judged.posts}
	if len(judged.spouses) > 0 {
		if effects.Marriage, err = Marry(s, m, judged.spouses); err != nil {
			return refused(err)
		}
	}
	effects.CacheMalicious, err = detectV2(m, judged.posts, effects.Marriage, s)
	if err != nil {
		return refused(err)
	}
	return Outcome{Verdict: Accept, Effects: effects}
}

// known judges an ATX that is stored, and passes other errors on.
func known(m *Message, src Source, err error) Outcome {
	switch {
	case !errors.Is(err, ErrKnown):
		return refused(err)
	case src.Sync, src.Self, m.V2 != nil:
		return Outcome{Verdict: Accept}
	}
	return Outcome{Verdict: Ignore, Err: err}
}

// refused blames the peer for a broken rule only. What is known of a collision
// but cannot be proven, and what our own identities must not store, is ignored;
// with anything else we failed.
func refused(err error) Outcome {
	switch {
	case RuleOf(err) != "":
		return Outcome{Verdict: Reject, Err: err}
	case errors.Is(err, ErrNoEvidence),
		errors.Is(err, ErrOwnDoublePublish), errors.Is(err, ErrOwnWrongPrevious):
		return Outcome{Verdict: Ignore, Err: err}
	}
	return Outcome{Err: err}
}

// JudgeUndecodable is the outcome for an error of Decode.
func JudgeUndecodable(err error) Outcome { return refused(err) }

// Unavailable is the outcome for an ATX whose dependencies could not be
// fetched. It is rejected if one of them was rejected (spec 04 §8.2).
func Unavailable(missing Dependencies, rejected bool) Outcome {
	if rejected {
		return refused(broken(RuleDependency, "%d atxs, %d poet proofs", len(missing.ATXs), len(missing.Poets)))
	}
	return Outcome{Verdict: Ignore, Missing: missing, Err: fmt.Errorf(
		"%w: %d atxs, %d poet proofs", ErrMissing, len(missing.ATXs), len(missing.Poets))}
}
