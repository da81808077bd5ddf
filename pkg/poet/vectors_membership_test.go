package poet_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/wire"
)

func TestVectorMembershipTree(t *testing.T) {
	type proof struct {
		Indices []uint64 `json:"leaf_indices"`
		Nodes   []hexBytes
	}
	type treeCase struct {
		Leaves []hexBytes
		Root   hexBytes
		Parked []hexBytes `json:"parked_nodes"`
		Proofs []proof
	}
	vectors.Run(t, "poet/membership_tree", func(t *testing.T, c treeCase) {
		tree := poet.NewMembershipTree(nodesOf(c.Leaves))
		root, ok := tree.Root()
		require.Equal(t, len(c.Root) > 0, ok)
		require.Equal(t, c.Parked, parkedHex(tree))
		if !ok {
			return
		}
		require.Equal(t, c.Root.Array32(), root)
		for _, p := range c.Proofs {
			nodes, err := tree.Prove(p.Indices...)
			require.NoError(t, err)
			require.Equal(t, hashesOf(p.Nodes), nodes, p.Indices)
			var leaves []poet.Node
			for _, index := range p.Indices {
				leaves = append(leaves, c.Leaves[index].Array32())
			}
			require.NoError(t, poet.VerifyMembership(root, leaves, p.Indices, nodes))
		}
	})
}

func parkedHex(tree *poet.MembershipTree) []hexBytes {
	list := []hexBytes{}
	for _, node := range tree.Parked() {
		list = append(list, hexBytes{})
		if node != nil {
			list[len(list)-1] = node[:]
		}
	}
	return list
}

func TestVectorMembershipVerify(t *testing.T) {
	type verifyCase struct {
		Kind      string
		Members   []hexBytes
		Challenge hexBytes
		Root      hexBytes
		LeafIndex uint64 `json:"leaf_index"`
		Nodes     []hexBytes
		Encoded   hexBytes
		Leaves    []hexBytes
		Indices   []uint64 `json:"leaf_indices"`
		Result    string
	}
	vectors.Run(t, "poet/membership_verify", func(t *testing.T, c verifyCase) {
		switch c.Kind {
		case "construct":
			tree := poet.NewMembershipTree(nodesOf(c.Members))
			root, ok := tree.Root()
			require.True(t, ok)
			require.Equal(t, c.Root.Array32(), root)
			proof, ok := tree.ProveChallenge(c.Challenge.Array32())
			require.True(t, ok)
			require.Equal(t, wire.MerkleProofV1{Nodes: hashesOf(c.Nodes), LeafIndex: c.LeafIndex}, proof)
			require.Equal(t, []byte(c.Encoded), codec.MustEncode(&proof))
		case "verify":
			err := poet.VerifyMembership(c.Root.Array32(), nodesOf(c.Leaves), c.Indices, hashesOf(c.Nodes))
			require.Equal(t, c.Result, outcome(err, "valid"))
		default:
			t.Fatalf("kind %q", c.Kind)
		}
	})
}
