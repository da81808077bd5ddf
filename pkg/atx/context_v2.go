package atx

import (
	"cmp"
	"slices"

	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/wire"
)

// merged is what a version 2 ATX amounts to beside its row.
type merged struct {
	row Row
	// spouses are the identities of the certificates, in their order.
	spouses []wire.NodeID
	// posts stand in the order of the ATX.
	posts []Post
}

// contextV2 checks a version 2 ATX against what it builds on and computes its
// row (spec 04 §10.11–21). Dependencies are stored.
func (r *Rules) contextV2(m *Message, s State, proofs Proofs) (*merged, error) {
	a := m.V2
	out := &merged{row: Row{
		ID: m.ID, PublishEpoch: a.PublishEpoch, NodeID: a.SmesherID, Coinbase: a.Coinbase,
		VRFNonce: a.VRFNonce, MarriageATX: a.MarriageATX,
	}}
	var err error
	if out.row.BaseHeight, err = r.baseHeight(s, a.PositioningATX, a.PublishEpoch); err != nil {
		return nil, err
	}
	if out.spouses, err = r.spouses(a, s); err != nil {
		return nil, err
	}
	if a.Initial != nil {
		out.row.Commitment = &a.Initial.CommitmentATX
		if err := r.checkCommitment(s, a.Initial.CommitmentATX, a.PublishEpoch); err != nil {
			return nil, err
		}
	}
	for _, previous := range a.PreviousATXs {
		if _, err := r.olderThan(s, previous, a.PublishEpoch, RulePreviousEpoch); err != nil {
			return nil, err
		}
	}
	if err := r.shares(a, s, out); err != nil {
		return nil, err
	}
	return out, r.checkProofsV2(a, s, proofs, out)
}

// shares finds whose posts the ATX holds and what they weigh (spec 04
// §10.15–18).
func (r *Rules) shares(a *wire.ActivationTxV2, s State, out *merged) error {
	set, err := EquivocationSet(s, a)
	if err != nil {
		return err
	}
	effective := make([][]uint32, len(a.NiPosts))
	for nipost, p := range subPosts(a) {
		share, units, err := shareOf(a, p, set, s)
		if err != nil {
			return err
		}
		out.posts = append(out.posts, share)
		effective[nipost] = append(effective[nipost], units)
	}
	weighed := make([]poet.PostUnits, len(a.NiPosts))
	for i := range a.NiPosts {
		proof, err := needPoet(s, a.NiPosts[i].Challenge)
		if err != nil {
			return err
		}
		if err := checkMembershipV2(a, &a.NiPosts[i], proof.Statement); err != nil {
			return err
		}
		weighed[i] = poet.PostUnits{Leaves: proof.Leaves, Units: poet.SumUnits(effective[i])}
	}
	return r.weigh(&out.row, weighed)
}

// shareOf is the identity behind a post and its effective units (spec 04 §10.16).
func shareOf(a *wire.ActivationTxV2, p *wire.SubPostV2, set []wire.NodeID, s Reader) (Post, uint32, error) {
	if uint64(p.MarriageIndex) >= uint64(len(set)) {
		return Post{}, 0, broken(RuleMarriageIndex, "%d of %d", p.MarriageIndex, len(set))
	}
	share := Post{NodeID: set[p.MarriageIndex], PrevIndex: p.PrevATXIndex, Units: p.NumUnits}
	if a.Initial != nil {
		return share, p.NumUnits, nil
	}
	if uint64(p.PrevATXIndex) >= uint64(len(a.PreviousATXs)) {
		return Post{}, 0, broken(RulePrevIndex, "%d of %d", p.PrevATXIndex, len(a.PreviousATXs))
	}
	share.Previous = a.PreviousATXs[p.PrevATXIndex]
	declared, ok, err := s.Units(share.Previous, share.NodeID)
	if err != nil {
		return Post{}, 0, failed("read units of previous atx", err)
	}
	if !ok {
		return Post{}, 0, broken(RulePreviousWithoutID, "%v has no post of %v", share.Previous, share.NodeID)
	}
	return share, min(declared, p.NumUnits), nil
}

// checkMembershipV2 proves the challenges of a nipost's posts, of which several
// may share a leaf (spec 04 §10.17). Indices of previous ATXs are in range.
func checkMembershipV2(a *wire.ActivationTxV2, n *wire.NiPostsV2, statement wire.Hash32) error {
	type leaf struct {
		index     uint64
		challenge poet.Node
	}
	leaves := make([]leaf, 0, len(n.Posts))
	hashes := make(map[wire.ATXID]poet.Node, 1)
	for i := range n.Posts {
		p := &n.Posts[i]
		if slices.ContainsFunc(leaves, func(l leaf) bool { return l.index == p.MembershipLeafIndex }) {
			continue
		}
		leaves = append(leaves, leaf{p.MembershipLeafIndex, challengeV2(a, p, hashes)})
	}
	slices.SortFunc(leaves, func(x, y leaf) int { return cmp.Compare(x.index, y.index) })
	indices, challenges := make([]uint64, len(leaves)), make([]poet.Node, len(leaves))
	for i, l := range leaves {
		indices[i], challenges[i] = l.index, l.challenge
	}
	if err := poet.VerifyMembership(poet.Node(statement), challenges, indices, n.Membership.Nodes); err != nil {
		return broken(RuleMembership, "%v", err)
	}
	return nil
}

// challengeV2 is what the owner of a post registered; posts with one previous
// ATX share it.
func challengeV2(a *wire.ActivationTxV2, p *wire.SubPostV2, known map[wire.ATXID]poet.Node) poet.Node {
	c := wire.NIPostChallengeV2{PublishEpoch: a.PublishEpoch, PositioningATXID: a.PositioningATX}
	if a.Initial != nil {
		c.InitialPost = &a.Initial.Post
	} else {
		c.PrevATXID = a.PreviousATXs[p.PrevATXIndex]
	}
	hash, ok := known[c.PrevATXID]
	if !ok {
		hash = poet.Node(c.Hash())
		known[c.PrevATXID] = hash
	}
	return hash
}

// checkProofsV2 has every post and the signer's nonce verified (spec 04
// §10.19–20).
func (r *Rules) checkProofsV2(a *wire.ActivationTxV2, s Reader, proofs Proofs, out *merged) error {
	var declared uint32 // wraps
	included := false
	next := 0
	for nipost, p := range subPosts(a) {
		owner := out.posts[next].NodeID
		next++
		commitment, err := commitmentV2(a, owner, s)
		if err != nil {
			return err
		}
		found, err := proofs.Post(PostCheck{
			Statement: post.Statement{
				NodeID: owner, CommitmentATX: commitment,
				Challenge: wire.Hash32(a.NiPosts[nipost].Challenge), NumUnits: p.NumUnits,
			},
			Post: &p.Post,
		})
		if err != nil {
			return failed("check post", err)
		}
		if !found.Valid {
			return broken(RulePost, "of %v", owner)
		}
		declared += p.NumUnits
		included = included || owner == a.SmesherID
	}
	if a.Initial != nil {
		return nil
	}
	if !included {
		return broken(RuleSignerNotIncluded, "%v", a.SmesherID)
	}
	commitment, err := commitmentOf(s, a.SmesherID)
	if err != nil {
		return err
	}
	return checkNonce(proofs, post.NonceClaim{
		NodeID: a.SmesherID, CommitmentATX: commitment,
		NumUnits: declared, LabelsPerUnit: r.Params.LabelsPerUnit, Nonce: a.VRFNonce,
	})
}

func commitmentV2(a *wire.ActivationTxV2, owner wire.NodeID, s Reader) (wire.ATXID, error) {
	if a.Initial != nil {
		return a.Initial.CommitmentATX, nil
	}
	return commitmentOf(s, owner)
}
