package malfeasance

import (
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Reader is what validation reads.
type Reader interface {
	// HasATX tells whether the identity signed an ATX that is stored.
	HasATX(wire.NodeID) (bool, error)
	// Commitment is that of the identity's newest ATX row that has one.
	Commitment(wire.NodeID) (wire.ATXID, bool, error)
	// Malicious looks into the first generation's table.
	Malicious(wire.NodeID) (bool, error)
}

// Posts verifies one label of a proof of space.
type Posts interface {
	// IndexValid verifies everything about the proof, but of its labels only
	// the one at the given position. A position behind the last selects no
	// label and does not fail by itself (spec 04 §15.2). Errors are failures
	// of ours.
	IndexValid(statement post.Statement, p *wire.PostV1, index uint32) (bool, error)
}

// Validator judges proofs of one network.
type Validator struct {
	Verifier signing.Verifier
	Reader   Reader
	Posts    Posts
}

// Validate applies the rules of a proof's type in their order (spec 04 §15.2)
// and returns the identity that the proof accuses.
func (v *Validator) Validate(p *wire.MalfeasanceProof) (wire.NodeID, error) {
	var err error
	switch data := p.Data.(type) {
	case *wire.AtxProof:
		err = v.multipleATXs(data)
	case *wire.BallotProof:
		err = v.multipleBallots(data)
	case *wire.HareProof:
		err = v.hareEquivocation(data)
	case *wire.InvalidPostIndexProof:
		err = v.invalidPost(data)
	case *wire.InvalidPrevAtxProof:
		err = v.invalidPrevious(data)
	default:
		return wire.NodeID{}, broken(RuleMalformed, "type %d", p.Type)
	}
	if err != nil {
		return wire.NodeID{}, err
	}
	return p.Data.MaliciousID(), nil
}

// half is one of two signed messages, reduced to what proofs of equivocation
// compare. slot is what must be equal, hash what must not.
type half struct {
	body []byte
	id   wire.NodeID
	sig  wire.EdSignature
	slot [2]uint32
	hash wire.Hash32
}

func (v *Validator) equivocation(domain signing.Domain, a, b half) error {
	for _, h := range [2]half{a, b} {
		if !v.Verifier.Verify(domain, h.id, h.body, h.sig) {
			return broken(RuleSignature, "%v under %v", h.id, domain)
		}
	}
	if err := v.known(a.id); err != nil {
		return err
	}
	if a.id != b.id || a.slot != b.slot || a.hash == b.hash {
		return broken(RuleNotEquivocation, "%v and %v", a.id, b.id)
	}
	return nil
}

func (v *Validator) multipleATXs(p *wire.AtxProof) error {
	var halves [2]half
	for i := range p.Messages {
		m := &p.Messages[i]
		halves[i] = half{
			body: codec.MustEncode(&m.InnerMsg), id: m.SmesherID, sig: m.Signature,
			slot: [2]uint32{uint32(m.InnerMsg.PublishEpoch)}, hash: m.InnerMsg.MsgHash,
		}
	}
	return v.equivocation(signing.ATX, halves[0], halves[1])
}

func (v *Validator) multipleBallots(p *wire.BallotProof) error {
	var halves [2]half
	for i := range p.Messages {
		m := &p.Messages[i]
		halves[i] = half{
			body: codec.MustEncode(&m.InnerMsg), id: m.SmesherID, sig: m.Signature,
			slot: [2]uint32{uint32(m.InnerMsg.Layer)}, hash: m.InnerMsg.MsgHash,
		}
	}
	return v.equivocation(signing.Ballot, halves[0], halves[1])
}

func (v *Validator) hareEquivocation(p *wire.HareProof) error {
	var halves [2]half
	for i := range p.Messages {
		m := &p.Messages[i]
		halves[i] = half{
			body: codec.MustEncode(&m.InnerMsg), id: m.SmesherID, sig: m.Signature,
			slot: [2]uint32{uint32(m.InnerMsg.Layer), m.InnerMsg.Round}, hash: m.InnerMsg.MsgHash,
		}
	}
	return v.equivocation(signing.Hare, halves[0], halves[1])
}

func (v *Validator) known(id wire.NodeID) error {
	ok, err := v.Reader.HasATX(id)
	if err != nil {
		return failed("look for atx", err)
	}
	if !ok {
		return broken(RuleUnknownIdentity, "%v", id)
	}
	return nil
}

func (v *Validator) signedATX(a *wire.ActivationTxV1) error {
	if !v.Verifier.Verify(signing.ATX, a.SmesherID, a.SignedBytes(), a.Signature) {
		return broken(RuleSignature, "of atx %v", a.ID())
	}
	return nil
}

// invalidPost wants a proof of space that fails at the given label. Whether the
// identity is known is not asked.
func (v *Validator) invalidPost(p *wire.InvalidPostIndexProof) error {
	a := &p.Atx
	if err := v.signedATX(a); err != nil {
		return err
	}
	if a.NIPost == nil || a.NIPost.Post == nil || a.NIPost.PostMetadata == nil {
		return broken(RuleNoPost, "atx %v", a.ID())
	}
	commitment, err := v.commitmentOf(a)
	if err != nil {
		return err
	}
	valid, err := v.Posts.IndexValid(post.Statement{
		NodeID: a.SmesherID, CommitmentATX: commitment,
		Challenge: wire.Hash32(a.NIPost.PostMetadata.PoetRef()), NumUnits: a.NumUnits,
	}, a.NIPost.Post, p.InvalidIdx)
	if err != nil {
		return failed("check post", err)
	}
	if valid {
		return broken(RulePostIsValid, "index %d", p.InvalidIdx)
	}
	return nil
}

func (v *Validator) commitmentOf(a *wire.ActivationTxV1) (wire.ATXID, error) {
	if a.CommitmentATXID != nil {
		return *a.CommitmentATXID, nil
	}
	commitment, ok, err := v.Reader.Commitment(a.SmesherID)
	if err != nil {
		return wire.ATXID{}, failed("read commitment", err)
	}
	if !ok {
		return wire.ATXID{}, broken(RuleUnknownIdentity, "%v", a.SmesherID)
	}
	return commitment, nil
}

func (v *Validator) invalidPrevious(p *wire.InvalidPrevAtxProof) error {
	a, b := &p.Atx1, &p.Atx2
	if err := v.known(a.SmesherID); err != nil {
		return err
	}
	if err := v.signedATX(a); err != nil {
		return err
	}
	if a.SmesherID != b.SmesherID {
		return broken(RuleIdentities, "%v and %v", a.SmesherID, b.SmesherID)
	}
	if err := v.signedATX(b); err != nil {
		return err
	}
	switch {
	case a.ID() == b.ID():
		return broken(RuleSameATX, "%v", a.ID())
	case a.PrevATXID != b.PrevATXID:
		return broken(RulePrevious, "%v and %v", a.PrevATXID, b.PrevATXID)
	}
	return nil
}
