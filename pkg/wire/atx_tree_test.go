package wire_test

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/merkle"
	"github.com/smeshery/smeshery/pkg/wire"
)

// This file computes the tree of spec 01 §6.3 a second time, without a thought
// for speed: every leaf of every tree, the zero ones too, goes through the
// streaming tree of pkg/merkle.

var zeroLeaf = make([]byte, 32)

func stream(leaves ...[]byte) []byte { return merkle.Root(merkle.Blake3, leaves) }

// streamPadded appends zero leaves up to n.
func streamPadded(leaves [][]byte, n int) []byte {
	for len(leaves) < n {
		leaves = append(leaves, zeroLeaf)
	}
	return stream(leaves...)
}

func leaf32(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }
func leaf64(v uint64) []byte { return binary.LittleEndian.AppendUint64(nil, v) }
func wide(v uint64) []byte   { return append(leaf64(v), make([]byte, 24)...) }

func streamPost(p *wire.PostV1) []byte { return stream(leaf32(p.Nonce), p.Indices, leaf64(p.Pow)) }

func streamSubPost(s *wire.SubPostV2, previous []wire.ATXID) []byte {
	if int64(s.PrevATXIndex) >= int64(len(previous)) {
		return nil
	}
	return stream(leaf32(s.MarriageIndex), previous[s.PrevATXIndex][:], wide(s.MembershipLeafIndex), streamPost(&s.Post), leaf32(s.NumUnits))
}

func streamNiPosts(n *wire.NiPostsV2, previous []wire.ATXID) []byte {
	var posts [][]byte
	for i := range n.Posts {
		posts = append(posts, streamSubPost(&n.Posts[i], previous))
	}
	return stream(codec.MustEncode(&n.Membership), n.Challenge[:], streamPadded(posts, wire.MaxSubPosts))
}

func streamMarriages(a *wire.ActivationTxV2) []byte {
	var leaves [][]byte
	for i := range a.Marriages {
		leaves = append(leaves, stream(a.Marriages[i].ReferenceAtx[:], a.Marriages[i].Signature[:]))
	}
	return streamPadded(leaves, wire.MaxMarriages)
}

func streamID(a *wire.ActivationTxV2) []byte {
	initial, marriage := zeroLeaf, zeroLeaf
	if a.Initial != nil {
		initial = stream(a.Initial.CommitmentATX[:], streamPost(&a.Initial.Post))
	}
	if a.MarriageATX != nil {
		marriage = a.MarriageATX[:]
	}
	var previous, groups [][]byte
	for i := range a.PreviousATXs {
		previous = append(previous, a.PreviousATXs[i][:])
	}
	for i := range a.NiPosts {
		groups = append(groups, streamNiPosts(&a.NiPosts[i], a.PreviousATXs))
	}
	return stream(wide(uint64(a.PublishEpoch)), a.PositioningATX[:], a.Coinbase[:], initial,
		streamPadded(previous, wire.MaxPreviousATXs), streamPadded(groups, wire.MaxNiPosts),
		wide(a.VRFNonce), streamMarriages(a), marriage)
}

func id32() *rapid.Generator[[32]byte] {
	return rapid.Custom(func(t *rapid.T) (id [32]byte) {
		// A few random bytes tell ids apart; zero ids look like padding and matter.
		copy(id[:], rapid.SliceOfN(rapid.Byte(), 0, 4).Draw(t, "id"))
		return id
	})
}

func post() *rapid.Generator[wire.PostV1] {
	return rapid.Custom(func(t *rapid.T) wire.PostV1 {
		size := rapid.SampledFrom([]int{0, 0, 1, 31, 32, 180, wire.MaxPostIndices}).Draw(t, "indices")
		return wire.PostV1{
			Nonce: rapid.Uint32().Draw(t, "nonce"), Pow: rapid.Uint64().Draw(t, "pow"),
			Indices: make([]byte, size),
		}
	})
}

// count is a length of a list: often small, sometimes full.
func count(t *rapid.T, label string, limit int) int {
	return rapid.OneOf(rapid.IntRange(0, 5), rapid.SampledFrom([]int{0, limit - 1, limit}), rapid.IntRange(0, limit)).Draw(t, label)
}

func groups(t *rapid.T, previous int) []wire.NiPostsV2 {
	out := make([]wire.NiPostsV2, rapid.IntRange(0, wire.MaxNiPosts).Draw(t, "groups"))
	for i := range out {
		for range rapid.IntRange(0, 3).Draw(t, "nodes") {
			out[i].Membership.Nodes = append(out[i].Membership.Nodes, id32().Draw(t, "node"))
		}
		out[i].Challenge = id32().Draw(t, "challenge")
		common := post().Draw(t, "post")
		for j := range count(t, "posts", wire.MaxSubPosts) {
			sub := wire.SubPostV2{MarriageIndex: uint32(j), MembershipLeafIndex: uint64(j) << 20, Post: common, NumUnits: 4}
			// Half of the choices point past the list: empty leaves.
			sub.PrevATXIndex = rapid.SampledFrom([]uint32{0, 0, uint32(previous), 1 << 31}).Draw(t, "previous")
			out[i].Posts = append(out[i].Posts, sub)
		}
	}
	return out
}

func TestTreeEqualsStreamedTree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := wire.ActivationTxV2{PublishEpoch: wire.EpochID(rapid.Uint32().Draw(t, "epoch")), VRFNonce: rapid.Uint64().Draw(t, "nonce")}
		a.PositioningATX = id32().Draw(t, "positioning")
		if rapid.Bool().Draw(t, "initial") {
			a.Initial = &wire.InitialAtxPartsV2{CommitmentATX: id32().Draw(t, "commitment"), Post: post().Draw(t, "post")}
		}
		if rapid.Bool().Draw(t, "married") {
			id := wire.ATXID(id32().Draw(t, "marriage"))
			a.MarriageATX = &id
		}
		for range count(t, "previous", wire.MaxPreviousATXs) {
			a.PreviousATXs = append(a.PreviousATXs, id32().Draw(t, "previous"))
		}
		for range count(t, "marriages", wire.MaxMarriages) {
			a.Marriages = append(a.Marriages, wire.MarriageCertificate{ReferenceAtx: id32().Draw(t, "reference")})
		}
		a.NiPosts = groups(t, len(a.PreviousATXs))

		requireRoot(t, streamMarriages(&a), a.MarriagesRoot())
		for i := range a.NiPosts {
			requireRoot(t, streamNiPosts(&a.NiPosts[i], a.PreviousATXs), a.NiPosts[i].MerkleRoot(a.PreviousATXs))
		}
		requireRoot(t, streamID(&a), wire.Hash32(a.ID()))
	})
}

func requireRoot(t require.TestingT, want []byte, got wire.Hash32) { require.Equal(t, want, got[:]) }

// TestEmptyLeavesOfSubPosts goes through every arrangement of valid and dangling
// sub-posts in short lists, and through full lists with few of either.
func TestEmptyLeavesOfSubPosts(t *testing.T) {
	previous := []wire.ATXID{{1}}
	group := func(n int, dangling func(i int) bool) *wire.NiPostsV2 {
		g := &wire.NiPostsV2{}
		for i := range n {
			s := wire.SubPostV2{NumUnits: uint32(i)}
			if dangling(i) {
				s.PrevATXIndex = 1
			}
			g.Posts = append(g.Posts, s)
		}
		return g
	}
	check := func(g *wire.NiPostsV2) { requireRoot(t, streamNiPosts(g, previous), g.MerkleRoot(previous)) }
	for n := range 8 {
		for mask := range 1 << n {
			check(group(n, func(i int) bool { return mask>>i&1 == 1 }))
		}
	}
	check(group(wire.MaxSubPosts, func(int) bool { return true }))
	const last = wire.MaxSubPosts - 1
	for _, odd := range []int{0, 1, 2, 127, 128, last - 1, last} {
		check(group(wire.MaxSubPosts, func(i int) bool { return i == odd }))
		check(group(wire.MaxSubPosts, func(i int) bool { return i != odd }))
		check(group(wire.MaxSubPosts, func(i int) bool { return i > odd }))
		check(group(wire.MaxSubPosts, func(i int) bool { return i < odd }))
	}
}
