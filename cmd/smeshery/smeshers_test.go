package main_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/source"
	"github.com/smeshery/smeshery/cmd/smeshery/internal/source/sourcetest"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/poet/roundstore"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/post/postdata"
	"github.com/smeshery/smeshery/pkg/post/postdata/cpu"
	"github.com/smeshery/smeshery/pkg/post/randomx"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
)

// row is a line of a recording's file.
type row map[string]any

// appendRow adds lines to a file of a recording, and to its manifest's count.
func appendRow(t *testing.T, dir string, k source.Kind, rows ...row) {
	t.Helper()
	path := sourcetest.File(dir, string(k))
	lines := sourcetest.Lines(t, path)
	for _, r := range rows {
		line, err := json.Marshal(r)
		require.NoError(t, err)
		lines = append(lines, line)
	}
	sourcetest.Rewrite(t, path, lines)
	countRows(t, dir, k, len(rows))
}

// replaceRows makes rows all there is of a kind.
func replaceRows(t *testing.T, dir string, k source.Kind, rows ...row) {
	t.Helper()
	sourcetest.Rewrite(t, sourcetest.File(dir, string(k)), nil)
	countRows(t, dir, k, -1<<30)
	appendRow(t, dir, k, rows...)
}

// countRows adds to a count of the manifest, which is not less than 0.
func countRows(t *testing.T, dir string, k source.Kind, more int) {
	t.Helper()
	path := filepath.Join(dir, "manifest.json")
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	var m map[string]any
	require.NoError(t, json.Unmarshal(raw, &m))
	files := m["files"].(map[string]any)
	files[string(k)] = max(0, int(files[string(k)].(float64))+more)
	raw, err = json.Marshal(m)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, raw, 0o600))
}

// smesher is an identity with real labels on disk.
type smesher struct {
	t      *testing.T
	key    signing.Key
	params network.Params
	pow    *randomx.Hasher
	labels string
	nonce  uint64
	first  wire.PostV1
}

const smesherUnits = 2

func newSmesher(t *testing.T, params network.Params, pow *randomx.Hasher, seed byte) *smesher {
	t.Helper()
	s := &smesher{t: t, key: signing.NewKey([32]byte{seed, 'k'}), params: params, pow: pow, labels: t.TempDir()}
	session, err := postdata.Open(postdata.Options{
		Dir: s.labels, NodeID: s.id(), CommitmentATX: s.golden(), NumUnits: smesherUnits,
		MaxFileSize: 1 << 20, BatchSize: 64, Params: s.post(), Engine: cpu.New(1),
	})
	require.NoError(t, err)
	require.NoError(t, session.Run(t.Context()))
	var meta *post.Metadata
	s.first, meta = s.prove(wire.Hash32{})
	require.NotNil(t, meta.Nonce)
	s.nonce = *meta.Nonce
	return s
}

func (s *smesher) id() wire.NodeID    { return s.key.NodeID() }
func (s *smesher) golden() wire.ATXID { return s.params.Genesis.GoldenATX() }

func (s *smesher) post() post.Params {
	p := s.params.Post
	return post.Params{
		MinNumUnits: p.MinNumUnits, MaxNumUnits: p.MaxNumUnits, LabelsPerUnit: p.LabelsPerUnit,
		K1: p.K1, K2: p.K2, K3: p.K3, PowDifficulty: p.PowDifficulty, Scrypt: post.Scrypt{N: uint64(p.ScryptN), R: 1, P: 1},
	}
}

func (s *smesher) prove(challenge wire.Hash32) (wire.PostV1, *post.Metadata) {
	s.t.Helper()
	proof, meta, err := postdata.Prove(s.t.Context(), s.labels, challenge, postdata.ProveConfig{
		Params: s.post(), Nonces: 16, Threads: 1, Solver: s.pow,
	})
	require.NoError(s.t, err)
	return wire.PostV1{Nonce: proof.Nonce, Indices: proof.Indices, Pow: proof.Pow}, meta
}

// challenge is what the smesher registers for its first ATX.
func (s *smesher) challenge(epoch wire.EpochID) wire.Hash32 {
	c := wire.NIPostChallengeV2{PublishEpoch: epoch, PositioningATXID: s.golden(), InitialPost: &s.first}
	return c.Hash()
}

func (s *smesher) sign(r signing.Request) wire.EdSignature {
	s.t.Helper()
	id := s.params.Genesis.ID()
	signature, err := s.key.Sign(id[:], r)
	require.NoError(s.t, err)
	return signature
}

// round is a PoET's round in which smeshers registered.
type round struct {
	epoch   wire.EpochID
	members *poet.MembershipTree
	message *wire.PoetProofMessage
}

const roundLeaves = 250

func newRound(t *testing.T, epoch wire.EpochID, smeshers ...*smesher) *round {
	t.Helper()
	var registrations []poet.Registration
	for _, s := range smeshers {
		registrations = append(registrations, poet.Registration{NodeID: s.id(), Challenge: poet.Node(s.challenge(epoch))})
	}
	closed := poet.CloseRound(registrations)
	dir, err := roundstore.Dir(t.TempDir())
	require.NoError(t, err)
	work, err := roundstore.Open(dir, roundstore.Config{Statement: closed.Statement, Batch: 1})
	require.NoError(t, err)
	require.NoError(t, work.Work(context.Background(), func() bool { return work.Leaves() >= roundLeaves }))
	proof, err := work.Prove(context.Background(), 1)
	require.NoError(t, err)
	require.NoError(t, work.Close())
	return &round{
		epoch: epoch, members: poet.NewMembershipTree(closed.Members),
		message: poet.NewMessage(proof, []byte("a test's PoET"), "7", closed.Members),
	}
}

func (r *round) row() row {
	ref := r.message.Ref()
	return row{
		"ref": hex.EncodeToString(ref[:]), "service_id": hex.EncodeToString(r.message.PoetServiceID),
		"round_id": hex.EncodeToString([]byte(r.message.RoundID)), "blob": hex.EncodeToString(codec.MustEncode(r.message)),
	}
}

// atx is a smesher's first ATX; with spouses it marries them, named by their ATXs.
func (s *smesher) atx(r *round, spouses map[*smesher]wire.ATXID) *wire.ActivationTxV2 {
	s.t.Helper()
	member, ok := r.members.ProveChallenge(poet.Node(s.challenge(r.epoch)))
	require.True(s.t, ok)
	proof, _ := s.prove(wire.Hash32(r.message.Ref()))
	a := &wire.ActivationTxV2{
		PublishEpoch: r.epoch, PositioningATX: s.golden(), Coinbase: wire.Address{23: 1},
		Initial: &wire.InitialAtxPartsV2{CommitmentATX: s.golden(), Post: s.first}, VRFNonce: s.nonce, SmesherID: s.id(),
		NiPosts: []wire.NiPostsV2{{
			Membership: wire.MerkleProofV2{Nodes: member.Nodes}, Challenge: r.message.Ref(),
			Posts: []wire.SubPostV2{{MembershipLeafIndex: member.LeafIndex, Post: proof, NumUnits: smesherUnits}},
		}},
	}
	if spouses != nil {
		a.Marriages = []wire.MarriageCertificate{{Signature: s.sign(signing.SignMarriage{Publisher: s.id()})}}
		for spouse, reference := range spouses {
			a.Marriages = append(a.Marriages, wire.MarriageCertificate{
				ReferenceAtx: reference, Signature: spouse.sign(signing.SignMarriage{Publisher: s.id()}),
			})
		}
	}
	a.Signature = s.sign(signing.SignATXv2{ATX: a})
	return a
}

func (s *smesher) row(a *wire.ActivationTxV2, received time.Time) row {
	id, golden, ticks := a.ID(), s.golden(), poet.Ticks(roundLeaves, s.params.TickSize)
	return row{
		"id": id.String(), "version": 2, "publish_epoch": a.PublishEpoch, "node_id": s.id().String(),
		"received_ns": received.UnixNano(), "effective_num_units": smesherUnits, "weight": smesherUnits * ticks,
		"base_tick_height": 0, "tick_count": ticks, "sequence": 0, "vrf_nonce": s.nonce,
		"coinbase": hex.EncodeToString(a.Coinbase[:]), "commitment_atx": golden.String(), "validity": 0,
		"marriage_atx": nil, "blob": hex.EncodeToString(codec.MustEncode(a)),
	}
}

// twoBallots proves that the smesher signed two ballots in a layer.
func (s *smesher) twoBallots(layer wire.LayerID) []byte {
	s.t.Helper()
	ballots := new(wire.BallotProof)
	for i := range ballots.Messages {
		m := &ballots.Messages[i]
		m.SmesherID, m.InnerMsg = s.id(), wire.BallotMetadata{Layer: layer, MsgHash: wire.Hash32{byte(i)}}
		m.Signature = s.sign(signing.SignBallot{Meta: m.InnerMsg})
	}
	return codec.MustEncode(&wire.MalfeasanceProof{Layer: layer, Type: wire.MultipleBallots, Data: ballots})
}
