package poet

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/poet/internal/sha256x"
	"github.com/smeshery/smeshery/pkg/wire"
)

// BenchmarkWork is one leaf in the middle of a mainnet round: 18 parked nodes.
func BenchmarkWork(b *testing.B) {
	const leaves = 0x0_aaaa_aaaa_a
	parked := make([]Node, 18)
	for name, engine := range map[string]sha256x.Engine{"portable": sha256x.Portable(), "best": sha256x.Best()} {
		b.Run(name, func(b *testing.B) {
			w, err := newWork(engine, make([]byte, 32), DefaultKeptLayer)
			require.NoError(b, err)
			require.NoError(b, w.forest.restore(leaves, parked))
			kept := make([]byte, 0, 1<<16)
			b.ReportAllocs()
			for b.Loop() {
				kept = w.Advance(1, kept[:0])
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "leaves/s")
		})
	}
}

func BenchmarkVerifyProof(b *testing.B) {
	statement := make([]byte, 32)
	proof := proofOf(b, statement, 20000, 6, SecurityParam)
	for name, engine := range map[string]sha256x.Engine{"portable": sha256x.Portable(), "best": sha256x.Best()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				require.NoError(b, verifyProof(engine, statement, &proof, SecurityParam))
			}
		})
	}
}

func BenchmarkMembershipTree(b *testing.B) {
	members := make([]Node, 10_000)
	for i := range members {
		members[i][0], members[i][1] = byte(i), byte(i>>8)
	}
	b.Run("build", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			NewMembershipTree(members)
		}
	})
	tree := NewMembershipTree(members)
	root, _ := tree.Root()
	nodes, err := tree.Prove(4321)
	require.NoError(b, err)
	b.Run("verify", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			require.NoError(b, VerifyMembership(root, members[4321:4322], []uint64{4321}, nodes))
		}
	})
}

func BenchmarkSolvePow(b *testing.B) {
	params := PowParams{Challenge: make([]byte, 32), Difficulty: 256}
	id := wire.NodeID{1}
	b.ReportAllocs()
	for b.Loop() {
		SolvePow(params, id[:], id[:], 0, 1000)
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "nonces/s")
}

// BenchmarkOpenKept streams the kept nodes of a round past an opening, which is
// the part of proving that grows with the round.
func BenchmarkOpenKept(b *testing.B) {
	const nodes = 1 << 16
	w, err := NewWork(make([]byte, 32), 0)
	require.NoError(b, err)
	kept := make([]byte, nodes*32)
	require.NoError(b, w.forest.restore(nodes, make([]Node, 1)))
	b.SetBytes(int64(len(kept)))
	b.ReportAllocs()
	for b.Loop() {
		o, err := NewOpening(w.Checkpoint(), SecurityParam)
		require.NoError(b, err)
		require.NoError(b, o.AddKept(kept))
	}
}
