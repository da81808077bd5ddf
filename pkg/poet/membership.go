package poet

import (
	"fmt"
	"slices"

	"github.com/smeshery/smeshery/pkg/wire"
)

// MembershipTree is the tree over a round's challenges (spec 03 §5). Build it
// once and answer any number of proofs from it.
type MembershipTree struct {
	layers [][]Node
	right  *edge
	parked forest
}

// NewMembershipTree builds the tree over challenges ordered by registrant.
func NewMembershipTree(members []Node) *MembershipTree {
	t := &MembershipTree{parked: forest{join: joinMembers}}
	for i := range members {
		for layer := range t.parked.add(&members[i]) + 1 {
			if layer == len(t.layers) {
				t.layers = append(t.layers, make([]Node, 0, len(members)>>layer))
			}
			t.layers[layer] = append(t.layers[layer], t.parked.made[layer])
		}
	}
	t.right = t.parked.edge()
	return t
}

func joinMembers(dst, left, right *Node) { *dst = MembershipNode(*left, *right) }

// Root is the statement of the round, or false without members; nodes then
// take the zero statement (spec 03 §4).
func (t *MembershipTree) Root() (Node, bool) { return t.parked.root() }

// Members is how many challenges the tree holds.
func (t *MembershipTree) Members() uint64 { return t.parked.leaves }

// Prove makes the shared proof of some members, named by ascending distinct
// indices. It fails if an index names no member.
func (t *MembershipTree) Prove(indices ...uint64) ([]wire.Hash32, error) {
	for i, index := range indices {
		if index >= t.Members() || i > 0 && indices[i-1] >= index {
			return nil, fmt.Errorf("membership proof of index %d of %d members", index, t.Members())
		}
	}
	var nodes []wire.Hash32
	walkSiblings(indices, t.right.height, func(layer int, index uint64) {
		nodes = append(nodes, wire.Hash32(t.value(layer, index)))
	})
	return nodes, nil
}

// ProveChallenge is the membership proof of the first member that is the
// challenge, as an ATX carries it; false if there is none.
func (t *MembershipTree) ProveChallenge(challenge Node) (wire.MerkleProofV1, bool) {
	if len(t.layers) == 0 {
		return wire.MerkleProofV1{}, false
	}
	index := slices.Index(t.layers[0], challenge)
	if index < 0 {
		return wire.MerkleProofV1{}, false
	}
	nodes, err := t.Prove(uint64(index))
	return wire.MerkleProofV1{Nodes: nodes, LeafIndex: uint64(index)}, err == nil
}

func (t *MembershipTree) value(layer int, index uint64) Node {
	switch {
	case layer < len(t.layers) && index < uint64(len(t.layers[layer])):
		return t.layers[layer][index]
	case t.right.exists[layer] && index == t.parked.leaves>>layer:
		return t.right.partial[layer]
	default:
		return Node{}
	}
}

// VerifyMembership checks that challenges are the members with these indices
// under a statement (spec 03 §5). Index bits above the tree are not looked at,
// and the rebuilding ends with the nodes, even if later leaves are left over:
// both are consensus.
func VerifyMembership(statement Node, challenges []Node, indices []uint64, nodes []wire.Hash32) error {
	if err := checkIndices(indices, len(challenges)); err != nil {
		return err
	}
	proof := rebuild[Node]{
		indices: indices,
		leaves:  challenges,
		nodes:   make([]Node, len(nodes)),
		join:    MembershipNode,
	}
	for i, node := range nodes {
		proof.nodes[i] = Node(node)
	}
	if proof.root() != statement {
		return RuleMembershipRoot.Broken()
	}
	return nil
}

func checkIndices(indices []uint64, leaves int) error {
	if len(indices) != leaves {
		return RuleMembershipShape.because("%d leaves, %d indices", leaves, len(indices))
	}
	if leaves == 0 {
		return RuleMembershipShape.because("no leaves")
	}
	for i := 1; i < len(indices); i++ {
		if indices[i-1] >= indices[i] {
			return RuleMembershipShape.because("index %d after %d", indices[i], indices[i-1])
		}
	}
	return nil
}

// Parked is, for every layer, the node that waits for its sibling, or nil.
func (t *MembershipTree) Parked() []*Node {
	parked := make([]*Node, t.parked.layers())
	for layer := range parked {
		if t.parked.leaves>>layer&1 == 1 {
			node := t.parked.parked[layer]
			parked[layer] = &node
		}
	}
	return parked
}
