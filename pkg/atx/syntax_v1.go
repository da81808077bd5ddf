package atx

import (
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/wire"
)

// syntaxV1 checks what can be checked of a version 1 ATX alone (spec 04 §9.3–6).
func (r *Rules) syntaxV1(a *wire.ActivationTxV1, current wire.EpochID, proofs Proofs) error {
	switch {
	case a.NIPost == nil:
		return broken(RuleNoNIPost, "")
	case a.NIPost.Post == nil:
		return broken(RuleNoNIPostPost, "")
	case a.NIPost.PostMetadata == nil:
		return broken(RuleNoMetadata, "")
	}
	if err := checkPublishEpoch(a.PublishEpoch, current); err != nil {
		return err
	}
	if wire.IsZero(a.PositioningATXID) {
		return broken(RuleEmptyPositioning, "")
	}
	if wire.IsZero(a.PrevATXID) {
		return r.syntaxInitialV1(a, proofs)
	}
	switch {
	case a.NodeID != nil:
		return broken(RuleNodeIDPresent, "")
	case a.InitialPost != nil:
		return broken(RuleInitialPostPresent, "")
	case a.CommitmentATXID != nil:
		return broken(RuleCommitmentPresent, "")
	}
	return nil
}

// checkPublishEpoch has no lower bound: old ATXs are welcome.
func checkPublishEpoch(publish, current wire.EpochID) error {
	if uint64(publish) > uint64(current)+1 {
		return broken(RulePublishEpoch, "%d in epoch %d", publish, current)
	}
	return nil
}

func (r *Rules) syntaxInitialV1(a *wire.ActivationTxV1, proofs Proofs) error {
	switch {
	case a.InitialPost == nil:
		return broken(RuleInitialPostMissing, "")
	case a.NodeID == nil: // its value is not compared with the signer (spec 04 §22.3)
		return broken(RuleNodeIDMissing, "")
	case a.VRFNonce == nil:
		return broken(RuleVRFNonceMissing, "")
	case a.CommitmentATXID == nil:
		return broken(RuleCommitmentMissing, "")
	case wire.IsZero(*a.CommitmentATXID):
		return broken(RuleEmptyCommitment, "")
	case a.Sequence != 0:
		return broken(RuleSequenceNotZero, "%d", a.Sequence)
	}
	if err := r.checkNonceV1(a, *a.CommitmentATXID, *a.VRFNonce, proofs); err != nil {
		return err
	}
	return checkInitialPost(proofs, a.SmesherID, *a.CommitmentATXID, a.NumUnits, a.InitialPost)
}

// checkNonceV1 measures a nonce by the labels per unit that the ATX names; they
// must not be fewer than the network's.
func (r *Rules) checkNonceV1(a *wire.ActivationTxV1, commitment wire.ATXID, nonce uint64, proofs Proofs) error {
	perUnit := a.NIPost.PostMetadata.LabelsPerUnit
	if perUnit < r.Params.LabelsPerUnit {
		return broken(RuleVRFNonce, "%d labels per unit, at least %d", perUnit, r.Params.LabelsPerUnit)
	}
	return checkNonce(proofs, post.NonceClaim{
		NodeID: a.SmesherID, CommitmentATX: commitment,
		NumUnits: a.NumUnits, LabelsPerUnit: perUnit, Nonce: nonce,
	})
}
