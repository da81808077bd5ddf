package wire

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/codec"
)

// messages makes an empty message of each type that the vectors name.
var messages = map[string]func() codec.Coded{
	"ActivationTxV1":                func() codec.Coded { return new(ActivationTxV1) },
	"ActivationTxV2":                func() codec.Coded { return new(ActivationTxV2) },
	"NIPostChallengeV1":             func() codec.Coded { return new(NIPostChallengeV1) },
	"NIPostChallengeV2":             func() codec.Coded { return new(NIPostChallengeV2) },
	"PostV1":                        func() codec.Coded { return new(PostV1) },
	"MerkleProofV1":                 func() codec.Coded { return new(MerkleProofV1) },
	"MerkleProofV2":                 func() codec.Coded { return new(MerkleProofV2) },
	"PostMetadataV1":                func() codec.Coded { return new(PostMetadataV1) },
	"NIPostV1":                      func() codec.Coded { return new(NIPostV1) },
	"ATXMetadataV1":                 func() codec.Coded { return new(ATXMetadata) },
	"MarriageCertificate":           func() codec.Coded { return new(MarriageCertificate) },
	"InitialAtxPartsV2":             func() codec.Coded { return new(InitialAtxPartsV2) },
	"SubPostV2":                     func() codec.Coded { return new(SubPostV2) },
	"NiPostsV2":                     func() codec.Coded { return new(NiPostsV2) },
	"Ballot":                        func() codec.Coded { return new(Ballot) },
	"InnerBallot":                   func() codec.Coded { return new(InnerBallot) },
	"BallotMetadata":                func() codec.Coded { return new(BallotMetadata) },
	"Votes":                         func() codec.Coded { return new(Votes) },
	"BlockHeader":                   func() codec.Coded { return new(Vote) },
	"Opinion":                       func() codec.Coded { return new(Opinion) },
	"EpochData":                     func() codec.Coded { return new(EpochData) },
	"VotingEligibility":             func() codec.Coded { return new(VotingEligibility) },
	"Proposal":                      func() codec.Coded { return new(Proposal) },
	"Block":                         func() codec.Coded { return new(Block) },
	"AnyReward":                     func() codec.Coded { return new(AnyReward) },
	"RatNum":                        func() codec.Coded { return new(RatNum) },
	"CertifyMessage":                func() codec.Coded { return new(CertifyMessage) },
	"CertifyContent":                func() codec.Coded { return new(CertifyContent) },
	"Certificate":                   func() codec.Coded { return new(Certificate) },
	"beacon.ProposalMessage":        func() codec.Coded { return new(BeaconProposalMessage) },
	"beacon.FirstVotingMessage":     func() codec.Coded { return new(FirstVotingMessage) },
	"beacon.FollowingVotingMessage": func() codec.Coded { return new(FollowingVotingMessage) },
	"weakcoin.Message":              func() codec.Coded { return new(WeakCoinMessage) },
	"hare3.Message":                 func() codec.Coded { return new(HareMessage) },
	"hare4.Message": func() codec.Coded {
		return &HareMessage{Body: HareBody{Value: HareValue{Hare4: true}}}
	},
	"hare4.CompactIdRequest":  func() codec.Coded { return new(CompactIdRequest) },
	"hare4.CompactIdResponse": func() codec.Coded { return new(CompactIdResponse) },
	"HareEligibility":         func() codec.Coded { return new(HareEligibility) },
	"PoetProofMessage":        func() codec.Coded { return new(PoetProofMessage) },
	"PoetProof":               func() codec.Coded { return new(PoetProof) },
	"MalfeasanceProof":        func() codec.Coded { return new(MalfeasanceProof) },
	"MalfeasanceGossip":       func() codec.Coded { return new(MalfeasanceGossip) },
	"ATXProof":                func() codec.Coded { return new(ATXProof) },
	"ProofDoubleMarry":        func() codec.Coded { return new(ProofDoubleMarry) },
	"RawTx":                   func() codec.Coded { return new(RawTx) },
	"Transaction":             func() codec.Coded { return new(Transaction) },
	"TxHeader":                func() codec.Coded { return new(TxHeader) },
	"TransactionResult":       func() codec.Coded { return new(TransactionResult) },
	"Reward":                  func() codec.Coded { return new(Reward) },
	"Account":                 func() codec.Coded { return new(Account) },
	"EpochActiveSet":          func() codec.Coded { return new(EpochActiveSet) },
	"fetch.RequestMessage":    func() codec.Coded { return new(RequestMessage) },
	"fetch.ResponseMessage":   func() codec.Coded { return new(ResponseMessage) },
	"fetch.RequestBatch":      func() codec.Coded { return new(RequestBatch) },
	"fetch.ResponseBatch":     func() codec.Coded { return new(ResponseBatch) },
	"fetch.MeshHashRequest":   func() codec.Coded { return new(MeshHashRequest) },
	"fetch.MeshHashes":        func() codec.Coded { return new(MeshHashes) },
	"fetch.MaliciousIDs":      func() codec.Coded { return new(MaliciousIDs) },
	"fetch.EpochData":         func() codec.Coded { return new(EpochATXs) },
	"fetch.LayerData":         func() codec.Coded { return new(LayerData) },
	"fetch.OpinionRequest":    func() codec.Coded { return new(OpinionRequest) },
	"fetch.LayerOpinion":      func() codec.Coded { return new(LayerOpinion) },
	"server.Response":         func() codec.Coded { return new(ServerResponse) },
	"peersync.Request":        func() codec.Coded { return new(PeerTimeRequest) },
	"peersync.Response":       func() codec.Coded { return new(PeerTimeResponse) },
}

// typed is what every case of the types area has.
type typed struct {
	Name          string          `json:"name"`
	Type          string          `json:"type"`
	Value         json.RawMessage `json:"value"`
	Encoded       vectors.Hex     `json:"encoded"`
	SignatureInfo *struct {
		SignedBytes vectors.Hex `json:"signed_bytes"`
	} `json:"signature_info"`
}

// decode checks that the message survives a round trip and holds the stated value.
func (c typed) decode(t *testing.T) codec.Coded {
	t.Helper()
	make, ok := messages[c.Type]
	require.True(t, ok, "type %s is not known", c.Type)
	m := make()
	require.NoError(t, codec.Decode(c.Encoded, m))
	again, err := codec.Encode(m)
	require.NoError(t, err)
	require.Equal(t, []byte(c.Encoded), again)
	if len(c.Value) > 0 && string(c.Value) != "null" {
		requireSameValue(t, c.Value, m)
	}
	if c.SignatureInfo != nil {
		signed, ok := m.(interface{ SignedBytes() []byte })
		require.True(t, ok, "%s has no signed bytes", c.Type)
		require.Equal(t, []byte(c.SignatureInfo.SignedBytes), signed.SignedBytes())
	}
	return m
}

func TestVectorsATXV1(t *testing.T) {
	type atxV1 struct {
		typed
		InnerEncoded  vectors.Hex `json:"inner_encoded"`
		ID            vectors.Hex `json:"id"`
		ChallengeHash vectors.Hex `json:"nipost_challenge_hash"`
	}
	vectors.Run(t, "types/atx_v1", func(t *testing.T, c atxV1) {
		atx := c.decode(t).(*ActivationTxV1)
		require.Equal(t, []byte(c.InnerEncoded), codec.MustEncode(&atx.InnerActivationTxV1))
		require.Equal(t, ATXID(c.ID), atx.ID())
		require.Equal(t, Hash32(c.ChallengeHash), atx.NIPostChallengeV1.Hash())
		epoch, err := PublishEpochOf(c.Encoded)
		require.NoError(t, err)
		require.Equal(t, atx.PublishEpoch, epoch)
	})
}

func TestVectorsATXV2(t *testing.T) {
	type subPost struct {
		PostRoot vectors.Hex `json:"post_root"`
		Root     vectors.Hex `json:"root"`
	}
	type nipost struct {
		MembershipEncoded vectors.Hex `json:"membership_encoded"`
		Root              vectors.Hex `json:"root"`
		SubPosts          []subPost   `json:"sub_posts"`
	}
	type atxV2 struct {
		typed
		ID           vectors.Hex `json:"id"`
		Intermediate struct {
			InitialRoot     vectors.Hex `json:"initial_root"`
			InitialPostRoot vectors.Hex `json:"initial_post_root"`
			MarriagesRoot   vectors.Hex `json:"marriages_root"`
			Marriage0Root   vectors.Hex `json:"marriage_0_root"`
			NiPosts         []nipost    `json:"niposts"`
		} `json:"intermediate"`
		TotalNumUnits *uint32 `json:"total_num_units"`
	}
	vectors.Run(t, "types/atx_v2", func(t *testing.T, c atxV2) {
		atx := c.decode(t).(*ActivationTxV2)
		require.Equal(t, ATXID(c.ID), atx.ID())
		if c.TotalNumUnits != nil {
			require.Equal(t, *c.TotalNumUnits, atx.TotalNumUnits())
		}
		want := c.Intermediate
		if want.InitialRoot != nil {
			require.Equal(t, Hash32(want.InitialRoot), atx.Initial.MerkleRoot())
			require.Equal(t, Hash32(want.InitialPostRoot), atx.Initial.Post.MerkleRoot())
		}
		if want.MarriagesRoot != nil {
			require.Equal(t, Hash32(want.MarriagesRoot), atx.MarriagesRoot())
		}
		if want.Marriage0Root != nil {
			require.Equal(t, Hash32(want.Marriage0Root), atx.Marriages[0].MerkleRoot())
		}
		for i, n := range want.NiPosts {
			if n.MembershipEncoded == nil {
				continue
			}
			require.Equal(t, []byte(n.MembershipEncoded), codec.MustEncode(&atx.NiPosts[i].Membership))
			if n.Root != nil {
				require.Equal(t, Hash32(n.Root), atx.NiPosts[i].MerkleRoot(atx.PreviousATXs))
			}
			for j, s := range n.SubPosts {
				post := &atx.NiPosts[i].Posts[j]
				require.Equal(t, Hash32(s.PostRoot), post.Post.MerkleRoot())
				if root, ok := post.MerkleRoot(atx.PreviousATXs); ok {
					require.Equal(t, Hash32(s.Root), root)
				} else {
					require.Empty(t, s.Root)
				}
			}
		}
	})
}

func TestVectorsNIPost(t *testing.T) {
	type nipost struct {
		typed
		Hash       vectors.Hex `json:"hash"`
		MerkleRoot vectors.Hex `json:"merkle_root"`
	}
	vectors.Run(t, "types/nipost", func(t *testing.T, c nipost) {
		m := c.decode(t)
		if c.Hash != nil {
			require.Equal(t, Hash32(c.Hash), m.(interface{ Hash() Hash32 }).Hash())
		}
		if c.MerkleRoot != nil {
			require.Equal(t, Hash32(c.MerkleRoot), m.(interface{ MerkleRoot() Hash32 }).MerkleRoot())
		}
	})
}

type ballotParts struct {
	InnerEncoded vectors.Hex `json:"inner_encoded"`
	InnerHash    vectors.Hex `json:"inner_hash"`
	ID           vectors.Hex `json:"id"`
	IDAsHash32   vectors.Hex `json:"id_as_hash32"`
}

func (want ballotParts) check(t *testing.T, b *Ballot) {
	t.Helper()
	require.Equal(t, []byte(want.InnerEncoded), codec.MustEncode(&b.InnerBallot))
	require.Equal(t, Hash32(want.InnerHash), b.Hash())
	require.Equal(t, BallotID(want.ID), b.ID())
	require.Equal(t, Hash32(want.IDAsHash32), Pad32(b.ID()))
}

func TestVectorsBallot(t *testing.T) {
	type ballot struct {
		typed
		ballotParts
		Blake3 vectors.Hex `json:"blake3"`
	}
	vectors.Run(t, "types/ballot", func(t *testing.T, c ballot) {
		switch m := c.decode(t).(type) {
		case *Ballot:
			c.check(t, m)
		case *InnerBallot:
			require.Equal(t, Hash32(c.Blake3), m.Hash())
		}
	})
}

func TestVectorsProposal(t *testing.T) {
	type proposal struct {
		typed
		Ballot struct {
			ballotParts
			SignatureInfo struct {
				SignedBytes vectors.Hex `json:"signed_bytes"`
			} `json:"signature_info"`
		} `json:"ballot"`
		InnerHash  vectors.Hex `json:"inner_proposal_hash"`
		ID         vectors.Hex `json:"id"`
		IDAsHash32 vectors.Hex `json:"id_as_hash32"`
	}
	vectors.Run(t, "types/proposal", func(t *testing.T, c proposal) {
		p := c.decode(t).(*Proposal)
		c.Ballot.check(t, &p.Ballot)
		require.Equal(t, []byte(c.Ballot.SignatureInfo.SignedBytes), p.Ballot.SignedBytes())
		require.Equal(t, Hash32(c.InnerHash), p.InnerHash())
		require.Equal(t, ProposalID(c.ID), p.ID())
		require.Equal(t, Hash32(c.IDAsHash32), Pad32(p.ID()))
	})
}

func TestVectorsBlock(t *testing.T) {
	type block struct {
		typed
		ID         vectors.Hex `json:"id"`
		IDAsHash32 vectors.Hex `json:"id_as_hash32"`
	}
	vectors.Run(t, "types/block", func(t *testing.T, c block) {
		if b, ok := c.decode(t).(*Block); ok {
			require.Equal(t, BlockID(c.ID), b.ID())
			require.Equal(t, Hash32(c.IDAsHash32), Pad32(b.ID()))
		}
	})
}

func TestVectorsEncodingOnly(t *testing.T) {
	for _, name := range []string{"types/certificate", "types/beacon"} {
		vectors.Run(t, name, func(t *testing.T, c typed) { c.decode(t) })
	}
}

func TestVectorsHare(t *testing.T) {
	type hare struct {
		typed
		BodyHash      vectors.Hex `json:"body_hash"`
		AbsoluteRound uint32      `json:"absolute_round"`
	}
	vectors.Run(t, "types/hare", func(t *testing.T, c hare) {
		if m, ok := c.decode(t).(*HareMessage); ok {
			require.Equal(t, Hash32(c.BodyHash), m.Body.Hash())
			require.Equal(t, c.AbsoluteRound, m.Body.Absolute())
		}
	})
}

func TestVectorsPoet(t *testing.T) {
	type poet struct {
		typed
		ProofEncoded vectors.Hex `json:"proof_encoded"`
		Ref          vectors.Hex `json:"ref"`
		Blake3       vectors.Hex `json:"blake3"`
	}
	vectors.Run(t, "types/poet", func(t *testing.T, c poet) {
		switch m := c.decode(t).(type) {
		case *PoetProofMessage:
			require.Equal(t, []byte(c.ProofEncoded), codec.MustEncode(&m.PoetProof))
			require.Equal(t, PoetProofRef(c.Ref), m.Ref())
		case *PoetProof:
			require.Equal(t, PoetProofRef(c.Blake3), m.Ref())
		}
	})
}

func TestVectorsMalfeasance(t *testing.T) {
	type malfeasance struct {
		typed
		ProofType     MalfeasanceType `json:"proof_type"`
		MaliciousID   vectors.Hex     `json:"malicious_id"`
		GossipEncoded vectors.Hex     `json:"gossip_encoded"`
	}
	vectors.Run(t, "types/malfeasance", func(t *testing.T, c malfeasance) {
		p, ok := c.decode(t).(*MalfeasanceProof)
		if !ok {
			return
		}
		require.Equal(t, c.ProofType, p.Type)
		require.Equal(t, NodeID(c.MaliciousID), p.Data.MaliciousID())
		require.Equal(t, []byte(c.GossipEncoded), codec.MustEncode(&MalfeasanceGossip{MalfeasanceProof: *p}))
	})
	type doubleMarry struct {
		typed
		ATXProofEncoded vectors.Hex `json:"atx_proof_encoded"`
	}
	vectors.Run(t, "types/malfeasance_v2", func(t *testing.T, c doubleMarry) {
		c.decode(t)
		if c.ATXProofEncoded == nil {
			return
		}
		var envelope ATXProof
		require.NoError(t, codec.Decode(c.ATXProofEncoded, &envelope))
		require.Equal(t, ProofTypeDoubleMarry, envelope.ProofType)
		require.Equal(t, []byte(c.Encoded), envelope.Proof)
		require.Equal(t, []byte(c.ATXProofEncoded), codec.MustEncode(&envelope))
	})
}

func TestVectorsState(t *testing.T) {
	type state struct {
		typed
		ID      vectors.Hex `json:"id"`
		Blake3  vectors.Hex `json:"blake3"`
		SetHash vectors.Hex `json:"set_hash"`
	}
	vectors.Run(t, "types/tx_state", func(t *testing.T, c state) {
		switch m := c.decode(t).(type) {
		case *RawTx:
			require.Equal(t, TransactionID(c.ID), NewRawTx(m.Raw).ID)
		case *Account:
			require.Equal(t, Hash32(c.Blake3), Sum(codec.MustEncode(m)))
		case *EpochActiveSet:
			require.Equal(t, Hash32(c.SetHash), m.Hash())
		}
	})
}

func TestVectorsFetch(t *testing.T) {
	type fetch struct {
		typed
		ID vectors.Hex `json:"id"`
	}
	vectors.Run(t, "types/fetch", func(t *testing.T, c fetch) {
		if b, ok := c.decode(t).(*RequestBatch); ok {
			require.Equal(t, Hash32(c.ID), b.BatchID())
		}
	})
}

var errorClasses = map[string]error{
	"eof": codec.ErrEOF, "trailing_bytes": codec.ErrTrailingBytes, "too_many_elements": codec.ErrTooManyElements,
	"nested_too_deep": codec.ErrNestedTooDeep, "compact_out_of_range": codec.ErrCompactRange,
	"compact_overflow": codec.ErrCompactOverflow, "compact_width": codec.ErrCompactWidth,
	"unknown_proof_type": codec.ErrUnknownProofType,
}

func TestVectorsDecodeInvalid(t *testing.T) {
	type invalid struct {
		Type      string      `json:"type"`
		Encoded   vectors.Hex `json:"encoded"`
		Error     *string     `json:"error"`
		Reencoded vectors.Hex `json:"reencoded"`
		Canonical *bool       `json:"canonical"`
	}
	vectors.Run(t, "types/decode_invalid", func(t *testing.T, c invalid) {
		make, ok := messages[c.Type]
		require.True(t, ok, "type %s is not known", c.Type)
		m := make()
		err := codec.Decode(c.Encoded, m)
		if c.Error != nil {
			class, known := errorClasses[*c.Error]
			require.True(t, known, "class %s", *c.Error)
			require.True(t, errors.Is(err, class), "want %v, got %v", class, err)
			return
		}
		require.NoError(t, err)
		again := codec.MustEncode(m)
		require.Equal(t, []byte(c.Reencoded), again)
		if c.Canonical != nil {
			require.Equal(t, *c.Canonical, string(again) == string(c.Encoded))
		}
	})
}

func TestVectorsHashes(t *testing.T) {
	type block struct {
		ID     vectors.Hex    `json:"id"`
		Height vectors.Uint64 `json:"height"`
	}
	type layer struct {
		Vote    string      `json:"vote"`
		Blocks  []block     `json:"blocks"`
		Opinion vectors.Hex `json:"opinion"`
	}
	type hash struct {
		Kind         string        `json:"kind"`
		Input        vectors.Hex   `json:"input"`
		Chunks       []vectors.Hex `json:"chunks"`
		Hash32       vectors.Hex   `json:"hash32"`
		Hash20       vectors.Hex   `json:"hash20"`
		Hash         vectors.Hex   `json:"hash"`
		ToHash20     vectors.Hex   `json:"to_hash20"`
		Back         vectors.Hex   `json:"back_to_hash32"`
		IDs          []vectors.Hex `json:"ids"`
		Additional   vectors.Hex   `json:"additional"`
		Sorted       vectors.Hex   `json:"sorted_hash"`
		Presorted    vectors.Hex   `json:"presorted_hash"`
		BlockPresort vectors.Hex   `json:"block_presorted_hash"`
		Layers       []layer       `json:"layers"`
	}
	vectors.Run(t, "types/hashes", func(t *testing.T, c hash) {
		switch c.Kind {
		case "blake3":
			require.Equal(t, Hash32(c.Hash32), Sum(c.Input))
			require.Equal(t, Hash20(c.Hash20), Sum(c.Input).Truncate())
		case "blake3_chunks":
			chunks := make([][]byte, len(c.Chunks))
			for i := range c.Chunks {
				chunks[i] = c.Chunks[i]
			}
			require.Equal(t, Hash32(c.Hash32), Sum(chunks...))
		case "bytes_to_hash":
			require.Equal(t, Hash32(c.Hash32), RightAligned32(c.Input))
			require.Equal(t, Hash20(c.Hash20), RightAligned20(c.Input))
		case "hash_convert":
			h := Hash32(c.Hash32)
			require.Equal(t, Hash20(c.ToHash20), h.Truncate())
			require.Equal(t, Hash32(c.Back), Pad32(h.Truncate()))
		case "proposals_hash":
			var proposals []ProposalID
			var blocks []BlockID
			for _, id := range c.IDs {
				proposals = append(proposals, ProposalID(id))
				blocks = append(blocks, BlockID(id))
			}
			require.Equal(t, Hash32(c.Sorted), HashSorted20(proposals, c.Additional))
			require.Equal(t, Hash32(c.Presorted), HashPresorted20(proposals, c.Additional))
			require.Equal(t, Hash32(c.BlockPresort), HashPresorted20(blocks, c.Additional))
		case "atx_list_hash":
			var ids []ATXID
			for _, id := range c.IDs {
				ids = append(ids, ATXID(id))
			}
			require.Equal(t, Hash32(c.Hash), HashATXList(ids))
		case "opinion":
			var previous *Hash32
			for _, l := range c.Layers {
				h := NewOpinionHasher(previous)
				if l.Vote == "abstain" {
					h.Abstain()
				}
				for _, b := range l.Blocks {
					h.Support(BlockID(b.ID), uint64(b.Height))
				}
				opinion := h.Sum()
				require.Equal(t, Hash32(l.Opinion), opinion)
				previous = &opinion
			}
		case "genesis_mesh_hash":
			require.Equal(t, Hash32(c.Hash), HashATXList(nil))
		default:
			t.Fatalf("kind %s is not known", c.Kind)
		}
	})
}
