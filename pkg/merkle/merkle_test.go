package merkle

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/wire"
)

func rawList(in []vectors.Hex) [][]byte {
	out := make([][]byte, len(in))
	for i := range in {
		out[i] = in[i]
	}
	return out
}

func hashList(in []vectors.Hex) []wire.Hash32 {
	out := make([]wire.Hash32, len(in))
	for i := range in {
		out[i] = in[i].Array32()
	}
	return out
}

func TestVectorMerkle(t *testing.T) {
	type merkleCase struct {
		Kind   string        `json:"kind"`
		Leaves []vectors.Hex `json:"leaves"`
		Root   vectors.Hex   `json:"root"`
		Proofs []struct {
			Indices []uint64      `json:"indices"`
			Nodes   []vectors.Hex `json:"nodes"`
		} `json:"proofs"`
		Indices []uint64      `json:"indices"`
		Nodes   []vectors.Hex `json:"nodes"`
		Valid   bool          `json:"valid"`
		Error   string        `json:"error"`
	}
	class := map[string]error{
		"count_mismatch": ErrCount, "no_leaves": ErrNoLeaves,
		"unsorted_indices": ErrUnsorted, "duplicate_indices": ErrDuplicate,
	}
	vectors.Run(t, "crypto/merkle", func(t *testing.T, c merkleCase) {
		leaves := rawList(c.Leaves)
		switch c.Kind {
		case "root":
			require.True(t, bytes.Equal(c.Root, Root(Blake3, leaves)))
			for _, p := range c.Proofs {
				root, nodes := Prove(Blake3, leaves, p.Indices...)
				require.True(t, bytes.Equal(c.Root, root))
				require.Equal(t, len(p.Nodes), len(nodes))
				for i := range nodes {
					require.Equal(t, []byte(p.Nodes[i]), nodes[i])
				}
				var proven [][]byte
				for _, i := range p.Indices {
					proven = append(proven, leaves[i])
				}
				ok, err := Verify(Blake3, p.Indices, proven, hashList(p.Nodes), root)
				require.NoError(t, err)
				require.True(t, ok)
			}
		case "validate":
			ok, err := Verify(Blake3, c.Indices, leaves, hashList(c.Nodes), c.Root)
			require.Equal(t, c.Valid, ok)
			if c.Error != "" {
				require.Contains(t, class, c.Error)
				require.ErrorIs(t, err, class[c.Error])
			} else {
				require.NoError(t, err)
			}
		default:
			t.Fatal(c.Kind)
		}
	})
}

// slowRoot is the level-by-level definition for leaves that are not empty.
func slowRoot(leaves [][]byte) []byte {
	if len(leaves) == 0 {
		return nil
	}
	for len(leaves) > 1 {
		if len(leaves)%2 == 1 {
			leaves = append(slices.Clone(leaves), make([]byte, 32))
		}
		var next [][]byte
		for i := 0; i < len(leaves); i += 2 {
			n := Blake3(leaves[i], leaves[i+1])
			next = append(next, n[:])
		}
		leaves = next
	}
	return leaves[0]
}

func TestProofsVerify(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 70).Draw(t, "leaves")
		leaves := make([][]byte, n)
		for i := range leaves {
			leaves[i] = bytes.Repeat([]byte{byte(i + 1)}, 32)
		}
		proven := rapid.SliceOfNDistinct(rapid.Uint64Range(0, uint64(n-1)), 1, n, rapid.ID[uint64]).Draw(t, "proven")
		slices.Sort(proven)
		root, nodes := Prove(Blake3, leaves, proven...)
		if !bytes.Equal(root, slowRoot(leaves)) {
			t.Fatal("root differs from the definition")
		}
		var values [][]byte
		for _, i := range proven {
			values = append(values, leaves[i])
		}
		hashes := make([]wire.Hash32, len(nodes))
		for i := range nodes {
			hashes[i] = wire.Hash32(nodes[i])
		}
		if ok, err := Verify(Blake3, proven, values, hashes, root); err != nil || !ok {
			t.Fatalf("%v %v", ok, err)
		}
		values[rapid.IntRange(0, len(values)-1).Draw(t, "broken")] = make([]byte, 32)
		if ok, _ := Verify(Blake3, proven, values, hashes, root); ok {
			t.Fatal("a foreign leaf verifies")
		}
	})
}

func FuzzVerify(f *testing.F) {
	f.Add([]byte{3, 200}, make([]byte, 64), make([]byte, 96))
	f.Fuzz(func(t *testing.T, positions, leaves, nodes []byte) {
		var p []uint64
		for _, b := range positions {
			p = append(p, uint64(b)<<(b%60))
		}
		l := slices.Collect(slices.Chunk(leaves, 32))
		var n []wire.Hash32
		for chunk := range slices.Chunk(nodes, 32) {
			n = append(n, wire.LeftAligned32(chunk))
		}
		_, _ = Verify(Blake3, p, l, n, make([]byte, 32))
	})
}

func BenchmarkVerify(b *testing.B) {
	nodes := make([]wire.Hash32, 20)
	leaf, root := [][]byte{make([]byte, 32)}, make([]byte, 32)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = Verify(Blake3, []uint64{77}, leaf, nodes, root)
	}
}

func BenchmarkRoot1000(b *testing.B) {
	leaves := make([][]byte, 1000)
	for i := range leaves {
		leaves[i] = make([]byte, 32)
	}
	b.ReportAllocs()
	for b.Loop() {
		Root(Blake3, leaves)
	}
}
