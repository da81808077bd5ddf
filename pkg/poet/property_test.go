package poet

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/pkg/poet/internal/sha256x"
	"github.com/smeshery/smeshery/pkg/wire"
)

// plainTree is the whole tree, computed layer by layer and padded at the end.
func plainTree(leaves []Node, join func(l, r Node) Node) [][]Node {
	layers := [][]Node{leaves}
	for len(layers[len(layers)-1]) > 1 {
		below := layers[len(layers)-1]
		if len(below)%2 == 1 {
			below = append(below[:len(below):len(below)], Node{})
		}
		var layer []Node
		for i := 0; i < len(below); i += 2 {
			layer = append(layer, join(below[i], below[i+1]))
		}
		layers = append(layers, layer)
	}
	return layers
}

// plainWork labels leaves with crypto/sha256 alone, recomputing every left
// sibling from the leaves.
func plainWork(statement []byte, count int) []Node {
	var leaves []Node
	for i := range count {
		msg := binary.BigEndian.AppendUint64(bytes.Clone(statement), uint64(i))
		for layer := 0; i>>layer > 0; layer++ {
			if i>>layer&1 == 1 {
				end := i >> layer << layer
				layers := plainTree(leaves[end-1<<layer:end:end], plainJoin(statement))
				msg = append(msg, layers[layer][0][:]...)
			}
		}
		label := sha256.Sum256(msg)
		for range 399 {
			label = sha256.Sum256(label[:])
		}
		leaves = append(leaves, label)
	}
	return leaves
}

func plainJoin(statement []byte) func(l, r Node) Node {
	return func(l, r Node) Node { return sha256.Sum256(append(append(bytes.Clone(statement), l[:]...), r[:]...)) }
}

func TestWorkEqualsPlainComputation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		statement := rapid.SliceOfN(rapid.Byte(), 0, 70).Draw(t, "statement")
		count := rapid.IntRange(1, 70).Draw(t, "leaves")
		engine := rapid.SampledFrom([]sha256x.Engine{sha256x.Portable(), sha256x.Best()}).Draw(t, "engine")
		want := plainTree(plainWork(statement, count), plainJoin(statement))
		w, err := newWork(engine, statement, 0)
		require.NoError(t, err)
		kept := w.Advance(uint64(count), nil)
		for i, leaf := range want[0] {
			require.Equal(t, leaf[:], kept[32*i:32*i+32])
		}
		root, ok := w.Root()
		require.True(t, ok)
		require.Equal(t, want[len(want)-1][0], root)
	})
}

func proofOf(t require.TestingT, statement []byte, leaves uint64, layer uint8, count int) wire.PoetProof {
	w, err := NewWork(statement, layer)
	require.NoError(t, err)
	kept := w.Advance(leaves, nil)
	o, err := NewOpening(w.Checkpoint(), count)
	require.NoError(t, err)
	require.NoError(t, o.AddKept(kept))
	subtrees, err := o.Subtrees()
	require.NoError(t, err)
	for i := range subtrees {
		require.NoError(t, subtrees[i].Recompute())
	}
	return o.Proof()
}

func TestProofDoesNotDependOnTheKeptLayerAndVerifies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		leaves := rapid.Uint64Range(1, 200).Draw(t, "leaves")
		count := rapid.IntRange(1, int(min(leaves, 20))).Draw(t, "count")
		layer := uint8(rapid.IntRange(1, 10).Draw(t, "layer"))
		statement := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "statement")
		want := proofOf(t, statement, leaves, 0, count)
		require.Equal(t, want, proofOf(t, statement, leaves, layer, count))
		for _, engine := range []sha256x.Engine{sha256x.Portable(), sha256x.Best()} {
			require.NoError(t, verifyProof(engine, statement, &want, count))
		}
	})
}

func TestResumedWorkEqualsUninterrupted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		statement := []byte("statement")
		total := rapid.Uint64Range(1, 150).Draw(t, "leaves")
		layer := uint8(rapid.IntRange(0, 6).Draw(t, "layer"))
		whole, err := NewWork(statement, layer)
		require.NoError(t, err)
		want := whole.Advance(total, nil)
		w, err := NewWork(statement, layer)
		require.NoError(t, err)
		var kept []byte
		for w.Leaves() < total {
			kept = w.Advance(rapid.Uint64Range(1, total-w.Leaves()).Draw(t, "part"), kept)
			checkpoint := w.Checkpoint()
			sealed, err := checkpoint.Seal()
			require.NoError(t, err)
			opened, err := OpenCheckpoint(sealed)
			require.NoError(t, err)
			w, err = ResumeWork(opened)
			require.NoError(t, err)
		}
		require.True(t, bytes.Equal(want, kept))
		require.Equal(t, whole.Checkpoint(), w.Checkpoint())
	})
}

func TestMembershipProofsVerifyAndBindTheirMembers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 80).Draw(t, "members")
		members := make([]Node, n)
		for i := range members {
			members[i] = sha256.Sum256([]byte{byte(i)})
		}
		tree := NewMembershipTree(members)
		root, _ := tree.Root()
		plain := plainTree(members, MembershipNode)
		require.Equal(t, plain[len(plain)-1][0], root)
		var indices []uint64
		var leaves []Node
		for i := range n {
			if rapid.Bool().Draw(t, "chosen") {
				indices, leaves = append(indices, uint64(i)), append(leaves, members[i])
			}
		}
		if len(indices) == 0 {
			indices, leaves = []uint64{0}, members[:1:1]
		}
		nodes, err := tree.Prove(indices...)
		require.NoError(t, err)
		require.NoError(t, VerifyMembership(root, leaves, indices, nodes))
		wrong := append([]Node(nil), leaves...)
		wrong[rapid.IntRange(0, len(wrong)-1).Draw(t, "victim")][0] ^= 1
		require.Error(t, VerifyMembership(root, wrong, indices, nodes))
		if len(indices) == 1 {
			// Bits above the tree are not looked at (spec 03 §5).
			require.NoError(t, VerifyMembership(root, leaves, []uint64{indices[0] + 1<<40}, nodes))
		}
	})
}

func TestDamagedKeptNodesAreNoticed(t *testing.T) {
	w, err := NewWork([]byte("statement"), 2)
	require.NoError(t, err)
	kept := w.Advance(61, nil)
	for at := range kept {
		damaged := bytes.Clone(kept)
		damaged[at] ^= 0x80
		o, err := NewOpening(w.Checkpoint(), 61)
		require.NoError(t, err)
		require.NoError(t, o.AddKept(damaged))
		_, err = o.Subtrees()
		require.ErrorIs(t, err, ErrKeptNodes)
	}
}

func TestSumUnitsLeavesOutWhatOverflows(t *testing.T) {
	require.EqualValues(t, 1<<32-1, SumUnits([]uint32{1<<32 - 2, 5, 1, 1}))
}

// Without proof nodes the first leaf is the root, and the others, unless they
// follow on it, hang in the air. Such a proof takes a handful of labels.
func TestProofWithLeavesOutsideTheTreeIsRefused(t *testing.T) {
	const count, leaves = 3, 1000
	for salt := range uint32(10_000) {
		statement := binary.BigEndian.AppendUint32(nil, salt)
		var root Node
		h := NewHasher(statement)
		h.engine.SumPadded(&root, sha256x.Pad(h.labelStart(0)), len(h.labelStart(0)))
		opened := OpenedLeaves(root[:], leaves, count)
		if opened[0] != 0 || opened[1] == 1 {
			continue
		}
		forged := wire.PoetProof{LeafCount: leaves}
		forged.Root = root[:]
		forged.ProvenLeaves = [][]byte{root[:], root[:], root[:]}
		require.ErrorIs(t, VerifyProof(statement, &forged, count), RuleMerkleRoot.Broken())
		return
	}
	t.Fatal("no statement opens leaf 0")
}
