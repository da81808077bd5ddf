package atx

import (
	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/wire"
)

// badIndexError says that the proof of space of an ATX has an index that is not
// good, which is evidence against the identity.
type badIndexError struct{ index uint32 }

func (*badIndexError) Error() string { return "atx: proof of space has a bad index" }

// contextV1 checks a version 1 ATX against what it builds on and computes its
// row (spec 04 §9.7–14). Dependencies are stored.
func (r *Rules) contextV1(m *Message, s Reader, proofs Proofs) (Row, error) {
	a := m.V1
	row := Row{
		ID: m.ID, PublishEpoch: a.PublishEpoch, NodeID: a.SmesherID, Coinbase: a.Coinbase,
		Sequence: a.Sequence, Commitment: a.CommitmentATXID,
	}
	commitment, err := r.ancestryV1(a, s, proofs, &row)
	if err != nil {
		return Row{}, err
	}
	if row.BaseHeight, err = r.baseHeight(s, a.PositioningATXID, a.PublishEpoch); err != nil {
		return Row{}, err
	}
	if a.NumUnits < r.Params.MinNumUnits || a.NumUnits > r.Params.MaxNumUnits {
		return Row{}, broken(RuleNumUnits, "%d", a.NumUnits)
	}
	if a.NIPost.PostMetadata.LabelsPerUnit < r.Params.LabelsPerUnit {
		return Row{}, broken(RuleLabelsPerUnit, "%d", a.NIPost.PostMetadata.LabelsPerUnit)
	}
	if err := checkNIPostV1(a, commitment, proofs); err != nil {
		return Row{}, err
	}
	return row, r.weighV1(a, s, &row)
}

// ancestryV1 checks commitment and previous ATX, and settles effective units
// and nonce (spec 04 §9.7–8). It returns the identity's commitment.
func (r *Rules) ancestryV1(a *wire.ActivationTxV1, s Reader, proofs Proofs, row *Row) (wire.ATXID, error) {
	if a.CommitmentATXID != nil { // initial, as the syntax has seen to
		row.EffectiveUnits, row.VRFNonce = a.NumUnits, *a.VRFNonce
		return *a.CommitmentATXID, r.checkCommitment(s, *a.CommitmentATXID, a.PublishEpoch)
	}
	commitment, err := commitmentOf(s, a.SmesherID)
	if err != nil {
		return wire.ATXID{}, err
	}
	return commitment, r.chainedV1(a, commitment, s, proofs, row)
}

func (r *Rules) chainedV1(a *wire.ActivationTxV1, commitment wire.ATXID, s Reader, proofs Proofs, row *Row) error {
	prev, err := need(s, a.PrevATXID)
	switch {
	case err != nil:
		return err
	case prev.NodeID != a.SmesherID:
		return broken(RulePreviousOfOther, "%v", prev.NodeID)
	case prev.PublishEpoch >= a.PublishEpoch:
		return broken(RulePreviousEpoch, "%d, in %d", prev.PublishEpoch, a.PublishEpoch)
	case a.Sequence != prev.Sequence+1:
		return broken(RuleSequence, "%d after %d", a.Sequence, prev.Sequence)
	}
	row.VRFNonce = prev.VRFNonce
	if a.VRFNonce != nil {
		row.VRFNonce = *a.VRFNonce
	}
	if a.VRFNonce != nil || a.NumUnits > prev.EffectiveUnits {
		if err := r.checkNonceV1(a, commitment, row.VRFNonce, proofs); err != nil {
			return err
		}
	}
	declared, ok, err := s.Units(a.PrevATXID, a.SmesherID)
	switch {
	case err != nil:
		return failed("read units of previous atx", err)
	case !ok:
		return broken(RulePreviousWithoutID, "%v", a.PrevATXID)
	}
	row.EffectiveUnits = min(a.NumUnits, declared)
	return nil
}

func checkNIPostV1(a *wire.ActivationTxV1, commitment wire.ATXID, proofs Proofs) error {
	found, err := proofs.Post(PostCheck{
		Statement: post.Statement{
			NodeID: a.SmesherID, CommitmentATX: commitment,
			Challenge: wire.Hash32(a.NIPost.PostMetadata.PoetRef()), NumUnits: a.NumUnits,
		},
		Post: a.NIPost.Post,
	})
	switch {
	case err != nil:
		return failed("check post", err)
	case found.BadIndex:
		return &badIndexError{found.Index}
	case !found.Valid:
		return broken(RulePost, "of %v", a.SmesherID)
	}
	return nil
}

// weighV1 checks the membership and computes what the ATX weighs (spec 04
// §9.13–14).
func (r *Rules) weighV1(a *wire.ActivationTxV1, s Reader, row *Row) error {
	proof, err := needPoet(s, a.NIPost.PostMetadata.PoetRef())
	if err != nil {
		return err
	}
	member := a.NIPost.Membership
	challenge := [1]poet.Node{poet.Node(a.NIPostChallengeV1.Hash())}
	index := [1]uint64{member.LeafIndex}
	if err := poet.VerifyMembership(poet.Node(proof.Statement), challenge[:], index[:], member.Nodes); err != nil {
		return broken(RuleMembership, "%v", err)
	}
	return r.weigh(row, []poet.PostUnits{{Leaves: proof.Leaves, Units: row.EffectiveUnits}})
}

// weigh sets units, ticks and weight of a row (spec 04 §10.17–18).
func (r *Rules) weigh(row *Row, posts []poet.PostUnits) error {
	total, err := poet.WeightOf(posts, r.Params.TickSize)
	if err != nil {
		return broken(RuleWeight, "%v", err)
	}
	row.EffectiveUnits, row.Ticks, row.Weight = total.Units, total.Ticks, total.Weight
	return nil
}
