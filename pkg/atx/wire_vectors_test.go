package atx

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/atxtest"
	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/merkle"
	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
)

func TestVectorTree(t *testing.T) {
	type treeCase struct {
		Leaves []vectors.Hex `json:"leaves"`
		Root   vectors.Hex   `json:"root"`
	}
	vectors.Run(t, "activation/atx_tree", func(t *testing.T, c treeCase) {
		leaves := make([][]byte, len(c.Leaves))
		for i := range c.Leaves {
			leaves[i] = c.Leaves[i]
		}
		require.Equal(t, []byte(c.Root), merkle.Root(merkle.Blake3, leaves))
	})
}

func keyOf(private vectors.Hex) signing.Key { return signing.NewKey([32]byte(private[:32])) }

type postJSON struct {
	Nonce   uint32         `json:"nonce"`
	Indices vectors.Hex    `json:"indices"`
	Pow     vectors.Uint64 `json:"pow"`
}

func (p *postJSON) wire() *wire.PostV1 {
	if p == nil {
		return nil
	}
	out := &wire.PostV1{Nonce: p.Nonce, Pow: uint64(p.Pow)}
	if len(p.Indices) > 0 {
		out.Indices = p.Indices
	}
	return out
}

type challengeJSON struct {
	Publish     wire.EpochID   `json:"publish_epoch"`
	Sequence    vectors.Uint64 `json:"sequence"`
	Prev        vectors.Hex    `json:"prev_atx"`
	Positioning vectors.Hex    `json:"positioning_atx"`
	Commitment  *vectors.Hex   `json:"commitment_atx"`
	InitialPost *postJSON      `json:"initial_post"`
}

func (c *challengeJSON) v1() wire.NIPostChallengeV1 {
	return wire.NIPostChallengeV1{
		PublishEpoch: c.Publish, Sequence: uint64(c.Sequence), PrevATXID: wire.ATXID(c.Prev),
		PositioningATXID: wire.ATXID(c.Positioning), CommitmentATXID: atxtest.ID(c.Commitment),
		InitialPost: c.InitialPost.wire(),
	}
}

func TestVectorATXv1(t *testing.T) {
	type v1Case struct {
		Atx *struct {
			Challenge challengeJSON `json:"challenge"`
			Coinbase  vectors.Hex   `json:"coinbase"`
			Units     uint32        `json:"num_units"`
			NIPost    *struct {
				Membership struct {
					Leaf  vectors.Uint64 `json:"leaf_index"`
					Nodes []vectors.Hex  `json:"nodes"`
				} `json:"membership"`
				Post     *postJSON `json:"post"`
				Metadata *struct {
					Challenge vectors.Hex    `json:"challenge"`
					PerUnit   vectors.Uint64 `json:"labels_per_unit"`
				} `json:"post_metadata"`
			} `json:"nipost"`
			NodeID    *vectors.Hex    `json:"node_id"`
			Nonce     *vectors.Uint64 `json:"vrf_nonce"`
			Smesher   vectors.Hex     `json:"smesher_id"`
			Signature vectors.Hex     `json:"signature"`
		} `json:"atx"`
		Encoded   vectors.Hex `json:"encoded"`
		Inner     vectors.Hex `json:"inner_encoded"`
		ID        vectors.Hex `json:"id"`
		Signed    vectors.Hex `json:"signed_bytes"`
		Signature vectors.Hex `json:"signature"`
		Valid     bool        `json:"signature_valid"`
		Challenge vectors.Hex `json:"challenge_hash"`
		Prefix    vectors.Hex `json:"prefix"`
		Private   vectors.Hex `json:"private_key"`
		Decode    string      `json:"decode"`
	}
	vectors.Run(t, "activation/atx_v1", func(t *testing.T, c v1Case) {
		m, err := Decode(c.Encoded, nil)
		if c.Decode == "error" {
			require.Equal(t, RuleMalformed, RuleOf(err))
			return
		}
		require.NoError(t, err)
		require.Equal(t, Version1, m.Version())
		want := wire.ActivationTxV1{SmesherID: wire.NodeID(c.Atx.Smesher), Signature: wire.EdSignature(c.Atx.Signature)}
		want.NIPostChallengeV1 = c.Atx.Challenge.v1()
		want.Coinbase, want.NumUnits = wire.Address(c.Atx.Coinbase), c.Atx.Units
		if n := c.Atx.NIPost; n != nil {
			want.NIPost = &wire.NIPostV1{Post: n.Post.wire()}
			want.NIPost.Membership.LeafIndex = uint64(n.Membership.Leaf)
			for _, node := range n.Membership.Nodes {
				want.NIPost.Membership.Nodes = append(want.NIPost.Membership.Nodes, node.Array32())
			}
			if n.Metadata != nil {
				want.NIPost.PostMetadata = &wire.PostMetadataV1{
					Challenge: n.Metadata.Challenge, LabelsPerUnit: uint64(n.Metadata.PerUnit),
				}
			}
		}
		if c.Atx.NodeID != nil && *c.Atx.NodeID != nil {
			id := wire.NodeID(*c.Atx.NodeID)
			want.NodeID = &id
		}
		want.VRFNonce = (*uint64)(c.Atx.Nonce)
		require.Equal(t, want, *m.V1)
		require.Equal(t, []byte(c.Encoded), codec.MustEncode(m.V1))
		require.Equal(t, []byte(c.Inner), codec.MustEncode(&m.V1.InnerActivationTxV1))
		require.Equal(t, wire.ATXID(c.ID), m.ID)
		challenge := m.V1.NIPostChallengeV1.Hash()
		require.Equal(t, []byte(c.Challenge), challenge[:])
		body, _ := m.signature()
		require.Equal(t, []byte(c.Signed), body)
		require.Equal(t, []byte(c.Signed), m.V1.SignedBytes())

		sig, err := keyOf(c.Private).Sign(c.Prefix, signing.SignATXv1{ATX: m.V1})
		require.NoError(t, err)
		require.Equal(t, wire.EdSignature(c.Signature), sig)
		require.Equal(t, c.Valid, m.checkSignature(signing.NewVerifier(c.Prefix)) == nil)
	})
}

func TestVectorATXv2(t *testing.T) {
	type v2Case struct {
		Encoded   vectors.Hex `json:"encoded"`
		ID        vectors.Hex `json:"id"`
		Prefix    vectors.Hex `json:"prefix"`
		Private   vectors.Hex `json:"private_key"`
		Signature vectors.Hex `json:"signature"`
		Units     uint32      `json:"total_num_units"`
		Decode    string      `json:"decode"`
		Roots     struct {
			Previous     vectors.Hex   `json:"previous_atxs"`
			NiPosts      vectors.Hex   `json:"niposts"`
			Marriages    vectors.Hex   `json:"marriages"`
			Initial      vectors.Hex   `json:"initial"`
			InitialPost  vectors.Hex   `json:"initial_post"`
			NiPost       []vectors.Hex `json:"nipost"`
			Certificates []vectors.Hex `json:"certificates"`
			SubPosts     [][]struct {
				Post    vectors.Hex `json:"post"`
				SubPost string      `json:"subpost"`
			} `json:"subposts"`
		} `json:"roots"`
		Atx struct {
			Publish     wire.EpochID   `json:"publish_epoch"`
			Positioning vectors.Hex    `json:"positioning_atx"`
			Coinbase    vectors.Hex    `json:"coinbase"`
			Nonce       vectors.Uint64 `json:"vrf_nonce"`
			Marriage    *vectors.Hex   `json:"marriage_atx"`
			Previous    []vectors.Hex  `json:"previous_atxs"`
			Smesher     vectors.Hex    `json:"smesher_id"`
		} `json:"atx"`
	}
	versions := atxtest.Versions(t, map[string]uint8{"0": 2})
	vectors.Run(t, "activation/atx_v2", func(t *testing.T, c v2Case) {
		m, err := Decode(c.Encoded, versions)
		if c.Decode == "error" {
			require.Equal(t, RuleMalformed, RuleOf(err))
			return
		}
		require.NoError(t, err)
		a := m.V2
		require.Equal(t, []byte(c.Encoded), codec.MustEncode(a))
		require.Equal(t, c.Atx.Publish, m.PublishEpoch())
		require.Equal(t, wire.ATXID(c.Atx.Positioning), a.PositioningATX)
		require.Equal(t, wire.Address(c.Atx.Coinbase), m.Coinbase())
		require.Equal(t, uint64(c.Atx.Nonce), a.VRFNonce)
		require.Equal(t, atxtest.ID(c.Atx.Marriage), a.MarriageATX)
		require.Len(t, a.PreviousATXs, len(c.Atx.Previous))
		require.Equal(t, wire.NodeID(c.Atx.Smesher), m.NodeID())
		require.Equal(t, c.Units, a.TotalNumUnits())

		leaves := a.FieldLeaves()
		require.Equal(t, []byte(c.Roots.Previous), leaves[4])
		require.Equal(t, []byte(c.Roots.NiPosts), leaves[5])
		require.Equal(t, []byte(c.Roots.Marriages), leaves[7])
		if a.Initial != nil {
			require.Equal(t, []byte(c.Roots.Initial), leaves[3])
			require.Equal(t, wire.Hash32(c.Roots.InitialPost), a.Initial.Post.MerkleRoot())
		}
		for i := range a.NiPosts {
			require.Equal(t, wire.Hash32(c.Roots.NiPost[i]), a.NiPosts[i].MerkleRoot(a.PreviousATXs))
			for j := range a.NiPosts[i].Posts {
				p, want := &a.NiPosts[i].Posts[j], c.Roots.SubPosts[i][j]
				require.Equal(t, wire.Hash32(want.Post), p.Post.MerkleRoot())
				root, ok := p.MerkleRoot(a.PreviousATXs)
				require.Equal(t, want.SubPost != "", ok)
				if ok {
					require.Equal(t, want.SubPost, hex.EncodeToString(root[:]))
				}
			}
		}
		for i := range a.Marriages {
			require.Equal(t, wire.Hash32(c.Roots.Certificates[i]), a.Marriages[i].MerkleRoot())
		}
		require.Equal(t, wire.ATXID(c.ID), m.ID)
		require.Equal(t, []byte(c.ID), merkle.Root(merkle.Blake3, leaves[:]), "two implementations of the tree agree")
		sig, err := keyOf(c.Private).Sign(c.Prefix, signing.SignATXv2{ATX: a})
		require.NoError(t, err)
		require.Equal(t, wire.EdSignature(c.Signature), sig)
		require.NoError(t, m.checkSignature(signing.NewVerifier(c.Prefix)))
	})
}

func TestVectorChallenge(t *testing.T) {
	type challengeCase struct {
		Version   uint8         `json:"version"`
		Challenge challengeJSON `json:"challenge"`
		Encoded   vectors.Hex   `json:"encoded"`
		Hash      vectors.Hex   `json:"hash"`
	}
	vectors.Run(t, "activation/nipost_challenge", func(t *testing.T, c challengeCase) {
		v1 := c.Challenge.v1()
		if c.Version == Version1 {
			require.Equal(t, []byte(c.Encoded), codec.MustEncode(&v1))
			require.Equal(t, wire.Hash32(c.Hash), v1.Hash())
			return
		}
		v2 := wire.NIPostChallengeV2{
			PublishEpoch: v1.PublishEpoch, PrevATXID: v1.PrevATXID,
			PositioningATXID: v1.PositioningATXID, InitialPost: v1.InitialPost,
		}
		require.Equal(t, []byte(c.Encoded), codec.MustEncode(&v2))
		require.Equal(t, wire.Hash32(c.Hash), v2.Hash())
	})
}

func TestVectorMarriageCertificates(t *testing.T) {
	type certificateCase struct {
		Private   vectors.Hex `json:"partner_private_key"`
		Partner   vectors.Hex `json:"partner_id"`
		Smesher   vectors.Hex `json:"marriage_atx_smesher"`
		Reference vectors.Hex `json:"reference_atx"`
		Prefix    vectors.Hex `json:"prefix"`
		Encoded   vectors.Hex `json:"encoded"`
		Root      vectors.Hex `json:"root"`
		Signature vectors.Hex `json:"signature"`
		Valid     bool        `json:"valid"`
		Invalid   []struct {
			Signature vectors.Hex `json:"signature"`
			Valid     bool        `json:"valid"`
		} `json:"invalid_signatures"`
		Count int           `json:"count"`
		List  []vectors.Hex `json:"certificates_encoded"`
		Roots []vectors.Hex `json:"certificate_roots"`
	}
	vectors.Run(t, "activation/marriage_certificates", func(t *testing.T, c certificateCase) {
		if c.Encoded == nil {
			checkCertificateList(t, c.List, c.Roots, c.Count, c.Root)
			return
		}
		var m wire.MarriageCertificate
		require.NoError(t, codec.Decode(c.Encoded, &m))
		require.Equal(t, []byte(c.Encoded), codec.MustEncode(&m))
		require.Equal(t, wire.ATXID(c.Reference), m.ReferenceAtx)
		require.Equal(t, wire.Hash32(c.Root), m.MerkleRoot())
		sig, err := keyOf(c.Private).Sign(c.Prefix, signing.SignMarriage{Publisher: wire.NodeID(c.Smesher)})
		require.NoError(t, err)
		require.Equal(t, wire.EdSignature(c.Signature), sig)

		// A publisher that refers to an ATX of the partner carries the certificate.
		publisher := &wire.ActivationTxV2{SmesherID: wire.NodeID(c.Smesher)}
		r := &Rules{Verifier: signing.NewVerifier(c.Prefix)}
		check := func(sig vectors.Hex, valid bool) {
			s := newMemState()
			s.rows = []Row{{ID: wire.ATXID{1}, NodeID: wire.NodeID(c.Partner)}}
			publisher.Marriages = []wire.MarriageCertificate{{ReferenceAtx: wire.ATXID{1}, Signature: wire.EdSignature(sig)}}
			_, err := r.spouses(publisher, s)
			require.Equal(t, valid, err == nil)
			if !valid {
				require.Equal(t, RuleMarriageSignature, RuleOf(err))
			}
		}
		check(c.Signature, c.Valid)
		for _, bad := range c.Invalid {
			check(bad.Signature, bad.Valid)
		}
	})
}

// checkCertificateList compares the root of all certificates of an ATX.
func checkCertificateList(t *testing.T, encoded, roots []vectors.Hex, count int, want vectors.Hex) {
	if roots == nil {
		a := &wire.ActivationTxV2{Marriages: make([]wire.MarriageCertificate, len(encoded))}
		for i := range encoded {
			require.NoError(t, codec.Decode(encoded[i], &a.Marriages[i]))
		}
		require.Len(t, a.Marriages, count)
		require.Equal(t, wire.Hash32(want), a.MarriagesRoot())
		return
	}
	require.Len(t, roots, count)
	leaves := make([][]byte, wire.MaxMarriages)
	for i := range leaves {
		if leaves[i] = make([]byte, 32); i < len(roots) {
			leaves[i] = roots[i]
		}
	}
	require.True(t, bytes.Equal(want, merkle.Root(merkle.Blake3, leaves)))
}

func TestVectorMembership(t *testing.T) {
	type variant struct {
		Leaf  *vectors.Uint64 `json:"leaf_index"`
		Nodes []vectors.Hex   `json:"nodes"`
		Valid bool            `json:"valid"`
	}
	type memberCase struct {
		Members   []vectors.Hex    `json:"members"`
		Statement vectors.Hex      `json:"statement"`
		Challenge vectors.Hex      `json:"challenge"`
		Proof     *variant         `json:"proof"`
		Indices   []vectors.Uint64 `json:"leaf_indices"`
		Leaves    []vectors.Hex    `json:"leaves"`
		Nodes     []vectors.Hex    `json:"nodes"`
		Valid     bool             `json:"valid"`
		Error     bool             `json:"error"`
		Variants  []variant        `json:"variants"`
	}
	hashes := func(in []vectors.Hex) []wire.Hash32 {
		out := make([]wire.Hash32, len(in))
		for i := range in {
			out[i] = in[i].Array32()
		}
		return out
	}
	vectors.Run(t, "activation/poet_membership", func(t *testing.T, c memberCase) {
		members := make([]poet.Node, len(c.Members))
		for i := range c.Members {
			members[i] = c.Members[i].Array32()
		}
		tree := poet.NewMembershipTree(members)
		root, ok := tree.Root()
		require.True(t, ok)
		require.Equal(t, c.Statement.Array32(), root)
		if c.Challenge != nil {
			proof, ok := tree.ProveChallenge(c.Challenge.Array32())
			require.Equal(t, !c.Error, ok)
			if c.Error {
				return
			}
			require.Equal(t, uint64(*c.Proof.Leaf), proof.LeafIndex)
			require.Equal(t, hashes(c.Proof.Nodes), append([]wire.Hash32{}, proof.Nodes...))
			c.Leaves, c.Indices, c.Nodes = []vectors.Hex{c.Challenge}, []vectors.Uint64{*c.Proof.Leaf}, c.Proof.Nodes
		}
		indices := make([]uint64, len(c.Indices))
		leaves := make([]poet.Node, len(c.Leaves))
		for i := range c.Indices {
			indices[i], leaves[i] = uint64(c.Indices[i]), c.Leaves[i].Array32()
		}
		if c.Challenge == nil {
			nodes, err := tree.Prove(indices...)
			require.NoError(t, err)
			require.Equal(t, hashes(c.Nodes), nodes)
		}
		verify := func(nodes []vectors.Hex) bool {
			return poet.VerifyMembership(root, leaves, indices, hashes(nodes)) == nil
		}
		require.Equal(t, c.Valid, verify(c.Nodes))
		for _, v := range c.Variants {
			if v.Leaf != nil {
				indices[0] = uint64(*v.Leaf)
			}
			require.Equal(t, v.Valid, verify(v.Nodes))
		}
	})
}
