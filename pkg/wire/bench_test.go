package wire_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// sized messages: what mainnet sends.

func atxV1() *wire.ActivationTxV1 {
	a := &wire.ActivationTxV1{SmesherID: wire.NodeID{1}}
	a.PublishEpoch, a.Sequence, a.NumUnits = 30, 28, 16
	a.NIPost = &wire.NIPostV1{
		Membership:   wire.MerkleProofV1{Nodes: make([]wire.Hash32, 19), LeafIndex: 300_000},
		Post:         &wire.PostV1{Nonce: 77, Indices: make([]byte, 167), Pow: 1 << 40},
		PostMetadata: &wire.PostMetadataV1{Challenge: make([]byte, 32), LabelsPerUnit: 1 << 32},
	}
	return a
}

// atxV2 merges some identities into one ATX.
func atxV2(identities int) *wire.ActivationTxV2 {
	a := &wire.ActivationTxV2{PublishEpoch: 30, VRFNonce: 1 << 40, SmesherID: wire.NodeID{1}}
	group := wire.NiPostsV2{Membership: wire.MerkleProofV2{Nodes: make([]wire.Hash32, 20)}}
	for i := range identities {
		a.PreviousATXs = append(a.PreviousATXs, wire.ATXID{byte(i), 1})
		group.Posts = append(group.Posts, wire.SubPostV2{
			MarriageIndex: uint32(i), PrevATXIndex: uint32(i), MembershipLeafIndex: 300_000, NumUnits: 16,
			Post: wire.PostV1{Nonce: 77, Indices: make([]byte, 167), Pow: 1 << 40},
		})
	}
	a.NiPosts = []wire.NiPostsV2{group}
	return a
}

func ballot() *wire.Ballot {
	b := &wire.Ballot{SmesherID: wire.NodeID{1}}
	b.Layer = 120_000
	b.EpochData = &wire.EpochData{EligibilityCount: 40}
	b.Votes.Support = make([]wire.Vote, 3)
	b.EligibilityProofs = make([]wire.VotingEligibility, 2)
	return b
}

func proposal() *wire.Proposal {
	return &wire.Proposal{Ballot: *ballot(), TxIDs: make([]wire.TransactionID, 700)}
}

func benchmarkDecode[T any, P codec.Pointer[T]](b *testing.B, message P) {
	encoded := codec.MustEncode(message)
	b.SetBytes(int64(len(encoded)))
	b.ReportAllocs()
	for b.Loop() {
		var m T
		require.NoError(b, codec.Decode(encoded, P(&m)))
	}
}

func benchmarkEncode(b *testing.B, message codec.Coded) {
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		buf, err = codec.Append(buf[:0], message)
		require.NoError(b, err)
	}
	b.SetBytes(int64(len(buf)))
}

func benchmarkID[ID comparable](b *testing.B, id func() ID) {
	b.ReportAllocs()
	var sink ID
	for b.Loop() {
		sink = id()
	}
	require.NotEqual(b, *new(ID), sink)
}

func BenchmarkATXV1(b *testing.B) {
	atx := atxV1()
	b.Run("decode", func(b *testing.B) { benchmarkDecode(b, atx) })
	b.Run("encode", func(b *testing.B) { benchmarkEncode(b, atx) })
	b.Run("id", func(b *testing.B) { benchmarkID(b, atx.ID) })
	encoded := codec.MustEncode(atx)
	b.Run("epoch", func(b *testing.B) {
		benchmarkID(b, func() wire.EpochID {
			e, _ := wire.PublishEpochOf(encoded)
			return e
		})
	})
}

func BenchmarkATXV2(b *testing.B) {
	for name, n := range map[string]int{"solo": 1, "of256": 256} {
		atx := atxV2(n)
		b.Run(name+"/decode", func(b *testing.B) { benchmarkDecode(b, atx) })
		b.Run(name+"/id", func(b *testing.B) { benchmarkID(b, atx.ID) })
		b.Run(name+"/id-streamed", func(b *testing.B) {
			benchmarkID(b, func() wire.ATXID { return wire.ATXID(streamID(atx)) })
		})
	}
}

func BenchmarkBallot(b *testing.B) {
	m := ballot()
	b.Run("decode", func(b *testing.B) { benchmarkDecode(b, m) })
	b.Run("encode", func(b *testing.B) { benchmarkEncode(b, m) })
	b.Run("id", func(b *testing.B) { benchmarkID(b, m.ID) })
}

func BenchmarkProposal(b *testing.B) {
	m := proposal()
	b.Run("decode", func(b *testing.B) { benchmarkDecode(b, m) })
	b.Run("id", func(b *testing.B) { benchmarkID(b, m.ID) })
}
