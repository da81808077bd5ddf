package atx

import (
	"fmt"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// detectV1 looks whether a version 1 ATX that is about to be stored proves its
// identity malicious (spec 04 §15.4–15.5). It returns nil if it does not.
func (r *Rules) detectV1(m *Message, s State) (*wire.MalfeasanceProof, error) {
	known, err := s.Malicious(m.NodeID())
	if err != nil {
		return nil, failed("read malicious", err)
	}
	if known {
		return nil, nil
	}
	proof, err := r.doublePublish(m, s)
	if proof != nil || err != nil {
		return proof, err
	}
	return r.wrongPrevious(m, s)
}

func (r *Rules) proofFor(m *Message, kind wire.MalfeasanceType, data wire.MalfeasanceData) *wire.MalfeasanceProof {
	return &wire.MalfeasanceProof{
		Layer: m.PublishEpoch().FirstLayer(r.Params.LayersPerEpoch), Type: kind, Data: data,
	}
}

func (r *Rules) doublePublish(m *Message, s State) (*wire.MalfeasanceProof, error) {
	other, found, err := s.SignedIn(m.NodeID(), m.PublishEpoch())
	switch {
	case err != nil:
		return nil, failed("look for double publish", err)
	case !found || other == m.ID:
		return nil, nil
	case s.Own(m.NodeID()):
		return nil, fmt.Errorf("%w: %v and %v", ErrOwnDoublePublish, other, m.ID)
	}
	old, err := r.evidence(other, s)
	if err != nil {
		return nil, err
	}
	return r.proofFor(m, wire.MultipleATXs, &wire.AtxProof{Messages: [2]wire.AtxProofMsg{
		atxProofMsg(old, other), atxProofMsg(m.V1, m.ID),
	}}), nil
}

func atxProofMsg(a *wire.ActivationTxV1, id wire.ATXID) wire.AtxProofMsg {
	return wire.AtxProofMsg{
		InnerMsg:  wire.ATXMetadata{PublishEpoch: a.PublishEpoch, MsgHash: wire.Hash32(id)},
		SmesherID: a.SmesherID,
		Signature: a.Signature,
	}
}

// wrongPrevious compares the previous ATX with the newest there is. One that is
// used twice is evidence; any other deviation is let pass.
func (r *Rules) wrongPrevious(m *Message, s State) (*wire.MalfeasanceProof, error) {
	last, _, err := s.LastPost(m.NodeID(), m.PublishEpoch())
	if err != nil {
		return nil, failed("look for previous atx", err)
	}
	if last == m.V1.PrevATXID { // both zero if there is none
		return nil, nil
	}
	other, found, err := s.PostOn(m.NodeID(), m.V1.PrevATXID)
	switch {
	case err != nil:
		return nil, failed("look for shared previous atx", err)
	case !found || other == m.ID:
		return nil, nil
	case s.Own(m.NodeID()):
		return nil, fmt.Errorf("%w: %v and %v", ErrOwnWrongPrevious, other, m.ID)
	}
	old, err := r.evidence(other, s)
	if err != nil {
		return nil, err
	}
	return r.proofFor(m, wire.InvalidPrevATX, &wire.InvalidPrevAtxProof{Atx1: *m.V1, Atx2: *old}), nil
}

// evidence is a stored ATX of version 1, with its signature.
func (r *Rules) evidence(id wire.ATXID, s State) (*wire.ActivationTxV1, error) {
	blob, found, err := s.Blob(id)
	if err != nil {
		return nil, failed("read atx blob", err)
	}
	if !found || len(blob) == 0 {
		return nil, fmt.Errorf("%w: %v is from a checkpoint", ErrNoEvidence, id)
	}
	publish, err := wire.PublishEpochOf(blob)
	if err != nil {
		return nil, failed("decode stored atx", err)
	}
	if r.Params.Versions.At(publish) != Version1 {
		return nil, fmt.Errorf("%w: %v is not of version 1", ErrNoEvidence, id)
	}
	var a wire.ActivationTxV1
	if err := codec.Decode(blob, &a); err != nil {
		return nil, failed("decode stored atx", err)
	}
	return &a, nil
}

// detectV2 tells whether a version 2 ATX collides with another one. The network
// has no message for such evidence yet: all it does is that the signer counts as
// malicious in the cache (spec 04 §16).
func detectV2(m *Message, posts []Post, marriage *MarriageChange, s State) (bool, error) {
	known, err := s.MaliciousMarried(m.NodeID())
	if err != nil {
		return false, failed("read malicious", err)
	}
	if known || marriage != nil && contains(marriage.Malicious, m.NodeID()) {
		return true, nil
	}
	for _, detect := range []func(*Message, []Post, *MarriageChange, State) (bool, error){
		doubleMarry, doublePost, doubleMerge, sharedPrevious,
	} {
		if found, err := detect(m, posts, marriage, s); found || err != nil {
			return found, err
		}
	}
	return false, nil
}

// doubleMarry finds an identity that is married elsewhere. A marriage in an ATX
// without a blob cannot be proven (spec 04 §22.9).
func doubleMarry(m *Message, _ []Post, marriage *MarriageChange, s State) (bool, error) {
	if marriage == nil {
		return false, nil
	}
	for _, id := range marriage.spouses {
		old, married, err := s.Marriage(id)
		if err != nil {
			return false, failed("read marriage", err)
		}
		if !married || old.ATX == m.ID {
			continue
		}
		blob, found, err := s.Blob(old.ATX)
		if err != nil {
			return false, failed("read atx blob", err)
		}
		if found && len(blob) > 0 {
			return true, nil
		}
	}
	return false, nil
}

func doublePost(m *Message, posts []Post, _ *MarriageChange, s State) (bool, error) {
	for _, p := range posts {
		other, found, err := s.PostIn(p.NodeID, m.PublishEpoch())
		if err != nil {
			return false, failed("look for double post", err)
		}
		if found && other != m.ID {
			return true, nil
		}
	}
	return false, nil
}

func doubleMerge(m *Message, _ []Post, _ *MarriageChange, s State) (bool, error) {
	if m.V2.MarriageATX == nil {
		return false, nil
	}
	other, found, err := s.MergedIn(*m.V2.MarriageATX, m.PublishEpoch())
	if err != nil {
		return false, failed("look for double merge", err)
	}
	return found && other != m.ID, nil
}

func sharedPrevious(m *Message, posts []Post, _ *MarriageChange, s State) (bool, error) {
	for _, p := range posts {
		last, _, err := s.LastPost(p.NodeID, m.PublishEpoch())
		if err != nil {
			return false, failed("look for previous atx", err)
		}
		if last == p.Previous {
			continue
		}
		other, found, err := s.PostOn(p.NodeID, p.Previous)
		if err != nil {
			return false, failed("look for shared previous atx", err)
		}
		if found && other != m.ID {
			return true, nil
		}
	}
	return false, nil
}
