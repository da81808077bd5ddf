package atx

import (
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/wire"
)

// syntaxV2 checks what can be checked of a version 2 ATX alone (spec 04
// §10.3–9).
func (r *Rules) syntaxV2(a *wire.ActivationTxV2, current wire.EpochID, proofs Proofs) error {
	if wire.IsZero(a.PositioningATX) {
		return broken(RuleEmptyPositioning, "")
	}
	if len(a.Marriages) > 0 && !marriesItself(a) {
		return broken(RuleNoSelfMarriage, "")
	}
	if err := checkPublishEpoch(a.PublishEpoch, current); err != nil {
		return err
	}
	if a.MarriageATX == nil {
		if err := soloShape(a); err != nil {
			return err
		}
	}
	if a.Initial != nil {
		return r.syntaxInitialV2(a, proofs)
	}
	return r.chainedShape(a)
}

// marriesItself wants the signer's own certificate, which has no reference.
func marriesItself(a *wire.ActivationTxV2) bool {
	for i := range a.Marriages {
		if wire.IsZero(a.Marriages[i].ReferenceAtx) {
			return true
		}
	}
	return false
}

func soloShape(a *wire.ActivationTxV2) error {
	switch {
	case len(a.NiPosts) != 1:
		return broken(RuleSoloOneNIPost, "%d", len(a.NiPosts))
	case len(a.NiPosts[0].Posts) != 1:
		return broken(RuleSoloOnePost, "%d", len(a.NiPosts[0].Posts))
	case a.NiPosts[0].Posts[0].PrevATXIndex != 0:
		return broken(RuleSoloPrevIndex, "%d", a.NiPosts[0].Posts[0].PrevATXIndex)
	}
	return nil
}

func (r *Rules) syntaxInitialV2(a *wire.ActivationTxV2, proofs Proofs) error {
	switch {
	case a.MarriageATX != nil:
		return broken(RuleInitialMarriageATX, "")
	case wire.IsZero(a.Initial.CommitmentATX):
		return broken(RuleCommitmentMissing, "")
	case len(a.PreviousATXs) > 0:
		return broken(RuleInitialPrevious, "%d", len(a.PreviousATXs))
	}
	units := a.NiPosts[0].Posts[0].NumUnits
	err := checkNonce(proofs, post.NonceClaim{
		NodeID: a.SmesherID, CommitmentATX: a.Initial.CommitmentATX,
		NumUnits: units, LabelsPerUnit: r.Params.LabelsPerUnit, Nonce: a.VRFNonce,
	})
	if err != nil {
		return err
	}
	return checkInitialPost(proofs, a.SmesherID, a.Initial.CommitmentATX, units, &a.Initial.Post)
}

// chainedShape is for ATXs that are not initial (spec 04 §10.8–9).
func (r *Rules) chainedShape(a *wire.ActivationTxV2) error {
	for _, previous := range a.PreviousATXs {
		switch previous {
		case wire.ATXID{}:
			return broken(RulePreviousEmpty, "")
		case r.Params.Golden:
			return broken(RulePreviousGolden, "")
		}
	}
	if a.MarriageATX == nil {
		if len(a.PreviousATXs) != 1 {
			return broken(RuleSoloOnePrevious, "%d", len(a.PreviousATXs))
		}
		return nil
	}
	if len(a.Marriages) > 0 {
		return broken(RuleMergedMarriages, "%d", len(a.Marriages))
	}
	seen := make(map[uint32]struct{})
	for _, p := range subPosts(a) {
		if _, twice := seen[p.MarriageIndex]; twice {
			return broken(RuleMarriageIndexTwice, "%d", p.MarriageIndex)
		}
		seen[p.MarriageIndex] = struct{}{}
	}
	return nil
}

// subPosts yields every post with the position of its nipost.
func subPosts(a *wire.ActivationTxV2) func(func(int, *wire.SubPostV2) bool) {
	return func(yield func(int, *wire.SubPostV2) bool) {
		for i := range a.NiPosts {
			for j := range a.NiPosts[i].Posts {
				if !yield(i, &a.NiPosts[i].Posts[j]) {
					return
				}
			}
		}
	}
}
