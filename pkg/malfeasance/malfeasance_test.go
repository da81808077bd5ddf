package malfeasance

import (
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
)

// memReader knows identities that share a commitment.
type memReader struct {
	known, malicious []wire.NodeID
	commitment       wire.ATXID
	asked            []post.Statement
	indexInvalid     bool
	fail             error
}

func (r *memReader) HasATX(id wire.NodeID) (bool, error) {
	return slices.Contains(r.known, id), r.fail
}

func (r *memReader) Commitment(id wire.NodeID) (wire.ATXID, bool, error) {
	return r.commitment, slices.Contains(r.known, id), r.fail
}

func (r *memReader) Malicious(id wire.NodeID) (bool, error) {
	return slices.Contains(r.malicious, id), r.fail
}

func (r *memReader) IndexValid(s post.Statement, _ *wire.PostV1, _ uint32) (bool, error) {
	r.asked = append(r.asked, s)
	return !r.indexInvalid, r.fail
}

func nodes(in []vectors.Hex) []wire.NodeID {
	out := []wire.NodeID{}
	for _, id := range in {
		out = append(out, wire.NodeID(id))
	}
	return out
}

func TestVectorProofs(t *testing.T) {
	type proofCase struct {
		Name         string        `json:"name"`
		Via          string        `json:"via"`
		FromSelf     bool          `json:"from_self"`
		Encoded      vectors.Hex   `json:"encoded"`
		Expected     vectors.Hex   `json:"expected_hash"`
		Known        []vectors.Hex `json:"known_identities"`
		Commitment   vectors.Hex   `json:"commitment_atx"`
		Before       []vectors.Hex `json:"malicious_before"`
		After        []vectors.Hex `json:"malicious_after"`
		Notified     []vectors.Hex `json:"tortoise_notified"`
		IndexInvalid bool          `json:"post_index_invalid"`
		Prefix       vectors.Hex   `json:"prefix"`
		Result       string        `json:"result"`
		Error        string        `json:"error"`
	}
	vectors.Run(t, "activation/malfeasance_v1", func(t *testing.T, c proofCase) {
		r := &memReader{
			known: nodes(c.Known), malicious: nodes(c.Before),
			commitment: wire.ATXID(c.Commitment), indexInvalid: c.IndexInvalid,
		}
		v := &Validator{Verifier: signing.NewVerifier(c.Prefix), Reader: r, Posts: r}
		var out Outcome
		if c.Via == "sync" {
			var want wire.NodeID
			copy(want[:], c.Expected)
			out = v.JudgeSync(c.Encoded, want)
		} else {
			out = v.JudgeGossip(c.Encoded, c.FromSelf)
		}
		require.Equal(t, c.Result, out.Verdict.String(), "%v", out.Err)
		require.Equal(t, c.Error, string(RuleOf(out.Err)))
		after, notified := nodes(c.Before), []wire.NodeID{}
		if e := out.Effects; e != nil {
			if e.Store != nil {
				after = append(after, e.NodeID)
				var stored wire.MalfeasanceProof
				require.NoError(t, codec.Decode(e.Store, &stored))
				require.Equal(t, e.NodeID, stored.Data.MaliciousID())
			}
			if e.Notify {
				notified = append(notified, e.NodeID)
			}
		}
		require.Equal(t, nodes(c.After), after)
		require.Equal(t, nodes(c.Notified), notified)
		for _, s := range r.asked {
			require.Contains(t, nodes(append(c.Known, c.Before...)), s.NodeID)
		}
	})
}

type marryCase struct {
	Atx1      vectors.Hex `json:"atx1"`
	Atx2      vectors.Hex `json:"atx2"`
	Buildable *bool       `json:"buildable"`
	NodeID    vectors.Hex `json:"node_id"`
	Encoded   vectors.Hex `json:"encoded"`
	Prefix    vectors.Hex `json:"prefix"`
	Valid     bool        `json:"valid"`
	Error     string      `json:"error"`
	Malicious vectors.Hex `json:"malicious_id"`
	Version   *uint8      `json:"version"`
	ProofType uint8       `json:"proof_type"`
	Proof     vectors.Hex `json:"proof"`
	Proofs    []struct {
		ATX         vectors.Hex    `json:"atx"`
		Root        vectors.Hex    `json:"marriage_root"`
		Reference   vectors.Hex    `json:"certificate_reference"`
		Index       vectors.Uint64 `json:"certificate_index"`
		Smesher     vectors.Hex    `json:"smesher_id"`
		MarriageLen []vectors.Hex  `json:"marriage_proof"`
		Certificate []vectors.Hex  `json:"certificate_proof"`
	} `json:"proofs"`
}

func (c *marryCase) build(t *testing.T) (*wire.ProofDoubleMarry, error) {
	var atx1, atx2 wire.ActivationTxV2
	require.NoError(t, codec.Decode(c.Atx1, &atx1))
	require.NoError(t, codec.Decode(c.Atx2, &atx2))
	return BuildDoubleMarry(wire.NodeID(c.NodeID), &atx1, &atx2, func(ref wire.ATXID) (wire.NodeID, error) {
		for _, p := range c.Proofs {
			if wire.ATXID(p.Reference) == ref {
				return wire.NodeID(c.NodeID), nil
			}
		}
		return wire.NodeID{}, nil // somebody else's
	})
}

func TestVectorDoubleMarry(t *testing.T) {
	vectors.Run(t, "activation/double_marry_proof", func(t *testing.T, c marryCase) {
		switch {
		case c.Buildable != nil:
			_, err := c.build(t)
			require.Equal(t, *c.Buildable, err == nil)
			require.True(t, errors.Is(err, ErrNotMarried) || RuleOf(err) == RuleSameATX)
			return
		case c.Version != nil:
			envelope := wire.ATXProof{Version: *c.Version, ProofType: wire.ATXProofType(c.ProofType), Proof: c.Proof}
			require.Equal(t, []byte(c.Encoded), codec.MustEncode(&envelope))
			require.Equal(t, wire.ProofTypeDoubleMarry, envelope.ProofType)
			return
		}
		var p wire.ProofDoubleMarry
		require.NoError(t, codec.Decode(c.Encoded, &p))
		require.Equal(t, []byte(c.Encoded), codec.MustEncode(&p))
		require.Equal(t, wire.NodeID(c.NodeID), p.NodeID)
		for i, want := range c.Proofs {
			require.Equal(t, wire.ATXID(want.ATX), p.Proofs[i].ATXID)
			require.Equal(t, wire.Hash32(want.Root), p.Proofs[i].MarriageRoot)
			require.Equal(t, uint64(want.Index), p.Proofs[i].CertificateIndex)
			require.Len(t, p.Proofs[i].MarriageProof, len(want.MarriageLen))
			require.Len(t, p.Proofs[i].CertificateProof, len(want.Certificate))
			require.Equal(t, wire.NodeID(want.Smesher), p.Proofs[i].SmesherID)
		}
		id, err := VerifyDoubleMarry(signing.NewVerifier(c.Prefix), &p)
		require.Equal(t, c.Valid, err == nil)
		require.Equal(t, c.Error, string(RuleOf(err)))
		if c.Valid {
			require.Equal(t, wire.NodeID(c.Malicious), id)
		}
		if c.Atx1 != nil {
			built, err := c.build(t)
			require.NoError(t, err)
			require.Equal(t, []byte(c.Encoded), codec.MustEncode(built))
		}
	})
}

var key = signing.NewKey([32]byte{1})

func signedATX(t testing.TB, change func(*wire.ActivationTxV1)) wire.ActivationTxV1 {
	a := wire.ActivationTxV1{SmesherID: key.NodeID()}
	change(&a)
	sig, err := key.Sign(nil, signing.SignATXv1{ATX: &a})
	require.NoError(t, err)
	a.Signature = sig
	return a
}

// Spec 04 §22.7: parts of an ATX inside a proof may be absent.
func TestPartsAbsentInInvalidPostProof(t *testing.T) {
	commitment := wire.ATXID{7}
	for name, nipost := range map[string]*wire.NIPostV1{
		"no nipost":   nil,
		"no post":     {PostMetadata: &wire.PostMetadataV1{}},
		"no metadata": {Post: &wire.PostV1{}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &memReader{indexInvalid: true}
			v := &Validator{Reader: r, Posts: r}
			a := signedATX(t, func(a *wire.ActivationTxV1) { a.NIPost, a.CommitmentATXID = nipost, &commitment })
			g := wire.MalfeasanceGossip{MalfeasanceProof: wire.MalfeasanceProof{
				Type: wire.InvalidPostIndex, Data: &wire.InvalidPostIndexProof{Atx: a},
			}}
			out := v.JudgeGossip(codec.MustEncode(&g), false)
			require.Equal(t, Reject, out.Verdict)
			require.Equal(t, RuleNoPost, RuleOf(out.Err))
			require.Empty(t, r.asked)
		})
	}
}

func TestUnknownCommitmentRejects(t *testing.T) {
	r := &memReader{indexInvalid: true}
	v := &Validator{Reader: r, Posts: r}
	a := signedATX(t, func(a *wire.ActivationTxV1) {
		a.NIPost = &wire.NIPostV1{Post: &wire.PostV1{}, PostMetadata: &wire.PostMetadataV1{}}
	})
	p := &wire.MalfeasanceProof{Type: wire.InvalidPostIndex, Data: &wire.InvalidPostIndexProof{Atx: a}}
	_, err := v.Validate(p)
	require.Equal(t, RuleUnknownIdentity, RuleOf(err))
	r.known = []wire.NodeID{key.NodeID()}
	id, err := v.Validate(p)
	require.NoError(t, err)
	require.Equal(t, key.NodeID(), id)
}

// A failure of ours is no verdict on the peer.
func TestFailureBlamesNobody(t *testing.T) {
	r := &memReader{fail: errors.New("database is away")}
	v := &Validator{Reader: r, Posts: r}
	commitment := wire.ATXID{7}
	a := signedATX(t, func(a *wire.ActivationTxV1) {
		a.CommitmentATXID = &commitment
		a.NIPost = &wire.NIPostV1{Post: &wire.PostV1{}, PostMetadata: &wire.PostMetadataV1{}}
	})
	b := signedATX(t, func(a *wire.ActivationTxV1) { a.Sequence = 9 })
	for _, data := range []struct {
		kind wire.MalfeasanceType
		data wire.MalfeasanceData
	}{
		{wire.InvalidPostIndex, &wire.InvalidPostIndexProof{Atx: a}},
		{wire.InvalidPrevATX, &wire.InvalidPrevAtxProof{Atx1: a, Atx2: b}},
	} {
		p := &wire.MalfeasanceProof{Type: data.kind, Data: data.data}
		out := v.JudgeSync(codec.MustEncode(p), key.NodeID())
		require.Equal(t, Unknown, out.Verdict)
		require.ErrorIs(t, out.Err, ErrState)
		require.Nil(t, out.Effects)
	}
}

// The CPU verifier is asked for a label that no proof has, and for one that is there.
func TestSpaceProofs(t *testing.T) {
	verifier, err := post.NewVerifier(post.Params{
		MinNumUnits: 1, MaxNumUnits: 4, LabelsPerUnit: 64, K1: 12, K2: 4, K3: 1,
		Scrypt: post.Scrypt{N: 2, R: 1, P: 1},
	}, nil, 1)
	require.NoError(t, err)
	s := SpaceProofs{Verifier: verifier}
	valid, err := s.IndexValid(post.Statement{NumUnits: 9}, &wire.PostV1{}, 0)
	require.NoError(t, err)
	require.False(t, valid, "units out of range count as a failure")
	_, err = s.IndexValid(post.Statement{NumUnits: 1}, &wire.PostV1{}, 1<<32-1)
	require.ErrorIs(t, err, post.ErrNoPow, "without a pow hasher we cannot say")
}

func FuzzJudge(f *testing.F) {
	var file struct {
		Cases []struct{ Encoded vectors.Hex }
	}
	vectors.Load(f, "activation/malfeasance_v1", &file)
	for _, c := range file.Cases {
		f.Add([]byte(c.Encoded))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		r := &memReader{indexInvalid: true}
		v := &Validator{Reader: r, Posts: r}
		gossip, again := v.JudgeGossip(message, false), v.JudgeGossip(message, false)
		require.Equal(t, gossip.Verdict, again.Verdict)
		require.NotEqual(t, Unknown, gossip.Verdict)
		require.NotEqual(t, Unknown, v.JudgeSync(message, wire.NodeID{}).Verdict)
	})
}

func FuzzDoubleMarry(f *testing.F) {
	var file struct{ Cases []marryCase }
	vectors.Load(f, "activation/double_marry_proof", &file)
	for _, c := range file.Cases {
		f.Add([]byte(c.Encoded), []byte(c.Prefix))
	}
	f.Fuzz(func(t *testing.T, encoded, prefix []byte) {
		var p wire.ProofDoubleMarry
		if codec.Decode(encoded, &p) == nil {
			_, _ = VerifyDoubleMarry(signing.NewVerifier(prefix), &p)
		}
	})
}
