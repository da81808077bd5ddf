package poet

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/poet/internal/sha256x"
	"github.com/smeshery/smeshery/pkg/wire"
)

// FuzzVerifyProof changes a valid proof. Whatever arrives must not panic, both
// engines must agree, and a proof that still verifies must be for the same root.
func FuzzVerifyProof(f *testing.F) {
	statement := []byte("statement of the fuzzed round...")
	const count = 5
	valid := proofOf(f, statement, 37, 2, count)
	f.Add(codec.MustEncode(&valid), statement)
	f.Add([]byte{}, []byte{})
	short := valid
	short.ProofNodes = valid.ProofNodes[1:]
	f.Add(codec.MustEncode(&short), statement)
	f.Fuzz(func(t *testing.T, encoded, statement []byte) {
		var proof wire.PoetProof
		if codec.Decode(encoded, &proof) != nil {
			return
		}
		native := verifyProof(sha256x.Best(), statement, &proof, count)
		portable := verifyProof(sha256x.Portable(), statement, &proof, count)
		require.Equal(t, native, portable)
		var broken *RuleError
		if native != nil {
			require.ErrorAs(t, native, &broken)
		}
	})
}

// plainRoot follows the text of spec 03 §6.2 as literally as possible.
type plainRoot struct {
	leaves  []Node
	indices []uint64
	nodes   []wire.Hash32
}

func (p *plainRoot) calc(stop int) Node {
	height, index, value := 0, p.indices[0], p.leaves[0]
	p.indices, p.leaves = p.indices[1:], p.leaves[1:]
	for height != stop {
		var sibling Node
		if len(p.indices) > 0 && p.indices[0]>>height == index^1 {
			sibling = p.calc(height)
		} else if len(p.nodes) == 0 {
			break
		} else {
			sibling, p.nodes = Node(p.nodes[0]), p.nodes[1:]
		}
		if index%2 == 1 {
			value = MembershipNode(sibling, value)
		} else {
			value = MembershipNode(value, sibling)
		}
		height, index = height+1, index/2
	}
	return value
}

func FuzzVerifyMembership(f *testing.F) {
	f.Add([]byte("0123456789abcdef0123456789abcdef"), uint64(0), uint64(1), uint64(2))
	f.Add(bytes.Repeat([]byte{7}, 32*9), uint64(1<<40), uint64(1<<63), uint64(1<<64-1))
	f.Fuzz(func(t *testing.T, raw []byte, a, b, c uint64) {
		var nodes []wire.Hash32
		for ; len(raw) >= 32 && len(nodes) < 200; raw = raw[32:] {
			nodes = append(nodes, wire.Hash32(raw))
		}
		for _, indices := range [][]uint64{{a}, {a, b}, {a, b, c}} {
			leaves := []Node{{1}, {2}, {3}}[:len(indices)]
			if !slices.IsSorted(indices) || len(slices.Compact(slices.Clone(indices))) < len(indices) {
				require.ErrorIs(t, VerifyMembership(Node{}, leaves, indices, nodes), RuleMembershipShape.Broken())
				continue
			}
			plain := plainRoot{leaves: leaves, indices: indices, nodes: nodes}
			root := plain.calc(-1)
			require.NoError(t, VerifyMembership(root, leaves, indices, nodes))
			root[3] ^= 1
			require.ErrorIs(t, VerifyMembership(root, leaves, indices, nodes), RuleMembershipRoot.Broken())
		}
	})
}

func FuzzJudgeFetched(f *testing.F) {
	msg := NewMessage(proofOf(f, make([]byte, 32), 160, 3, SecurityParam), []byte("service"), "7", nil)
	f.Add(codec.MustEncode(msg), true)
	f.Add([]byte{0}, false)
	f.Fuzz(func(t *testing.T, encoded []byte, stored bool) {
		var ref wire.PoetProofRef
		var probe wire.PoetProofMessage
		if codec.Decode(encoded, &probe) == nil {
			ref = probe.Ref()
		}
		got, isNew, err := JudgeFetched(ref, encoded, stored)
		require.Equal(t, err != nil, got == nil)
		require.False(t, isNew && stored)
		if err == nil {
			require.Equal(t, encoded, codec.MustEncode(got))
		}
	})
}

func FuzzRecords(f *testing.F) {
	record := ProofRecord{Proof: proofOf(f, nil, 9, 1, 3), Members: [][]byte{{1}, {}}, Round: "7"}
	f.Add(record.Encode())
	state := RoundState{ExecutionStarted: "2024-10-18T10:00:00+02:00", Proof: &record.Proof.PoetMerkleProof}
	f.Add(state.Encode())
	f.Fuzz(func(t *testing.T, raw []byte) {
		if record, err := DecodeProofRecord(raw); err == nil {
			require.Equal(t, raw, record.Encode())
		}
		if state, err := DecodeRoundState(raw); err == nil {
			again, err := DecodeRoundState(state.Encode())
			require.NoError(t, err)
			require.Equal(t, state, again)
			state.Started()
		}
	})
}

func FuzzCheckpoint(f *testing.F) {
	w, err := NewWork([]byte("statement"), 2)
	require.NoError(f, err)
	w.Advance(13, nil)
	checkpoint := w.Checkpoint()
	sealed, err := checkpoint.Seal()
	require.NoError(f, err)
	f.Add(sealed[:len(sealed)-32])
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, err := OpenCheckpoint(raw); err != nil {
			require.ErrorIs(t, err, ErrCheckpoint)
		}
		sum := wire.Sum(raw)
		c, err := OpenCheckpoint(append(raw[:len(raw):len(raw)], sum[:]...))
		if err != nil {
			return
		}
		if w, err := ResumeWork(c); err == nil && c.Leaves < 1<<63 {
			w.Advance(1, nil)
		}
	})
}

func FuzzCertificate(f *testing.F) {
	expiration := uint64(1700000407)
	for _, c := range []Certificate{{Pubkey: make([]byte, 32)}, {Pubkey: []byte{1}, Expiration: &expiration}} {
		f.Add(codec.MustEncode(&c))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var c Certificate
		if n, err := codec.DecodePrefix(data, &c); err == nil {
			require.LessOrEqual(t, n, len(data))
			require.LessOrEqual(t, len(c.Pubkey), 32)
		}
		_, err := VerifyCertificate(SignedCertificate{Data: data}, make([]byte, 32), nil, time.Unix(0, 0))
		require.ErrorIs(t, err, RuleCertificateSignature.Broken())
	})
}
