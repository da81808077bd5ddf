package poet_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/wire"
)

type workCase struct {
	Statement     hexBytes
	Root          hexBytes
	LeafCount     decimal    `json:"leaf_count"`
	SecurityParam int        `json:"security_param"`
	ProvenLeaves  []hexBytes `json:"proven_leaves"`
	ProofNodes    []hexBytes `json:"proof_nodes"`
	ProvenIndices []uint64   `json:"proven_indices"`
	Result        string
}

func (c *workCase) proof() *wire.PoetProof {
	return &wire.PoetProof{
		PoetMerkleProof: wire.PoetMerkleProof{
			Root:         c.Root,
			ProvenLeaves: bytesOf(c.ProvenLeaves),
			ProofNodes:   bytesOf(c.ProofNodes),
		},
		LeafCount: uint64(c.LeafCount),
	}
}

// finish makes the proof of work from its kept nodes.
func finish(t testing.TB, work *poet.Work, kept []byte, count int) wire.PoetProof {
	t.Helper()
	opening, err := poet.NewOpening(work.Checkpoint(), count)
	require.NoError(t, err)
	require.NoError(t, opening.AddKept(kept))
	subtrees, err := opening.Subtrees()
	require.NoError(t, err)
	for i := range subtrees {
		require.NoError(t, subtrees[i].Recompute())
	}
	return opening.Proof()
}

func TestVectorProofs(t *testing.T) {
	vectors.Run(t, "poet/posw_proofs", func(t *testing.T, c workCase) {
		layers := []uint8{0, 1, 3, 6, 12}
		if c.LeafCount > 3000 {
			layers = []uint8{7}
		}
		for _, layer := range layers {
			work, err := poet.NewWork(c.Statement, layer)
			require.NoError(t, err)
			proof := finish(t, work, work.Advance(uint64(c.LeafCount), nil), c.SecurityParam)
			require.Equal(t, c.proof(), &proof, "kept layer %d", layer)
		}
		require.Equal(t, c.ProvenIndices, poet.OpenedLeaves(c.Root, uint64(c.LeafCount), c.SecurityParam))
		require.NoError(t, poet.VerifyProof(c.Statement, c.proof(), c.SecurityParam))
	})
}

func TestVectorVerify(t *testing.T) {
	vectors.Run(t, "poet/verify", func(t *testing.T, c workCase) {
		err := poet.VerifyProof(c.Statement, c.proof(), c.SecurityParam)
		require.Equal(t, c.Result, outcome(err, "valid"), "%v", err)
	})
}
