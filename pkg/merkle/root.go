package merkle

import (
	"github.com/smeshery/smeshery/pkg/wire"
)

// Join is a node function. It must not keep or change its arguments.
type Join func(left, right []byte) [32]byte

// Blake3 is the node function of ATX IDs and PoET membership: the hash of a
// byte 1 and both children (spec 01 §6.3).
func Blake3(left, right []byte) [32]byte {
	var buf [65]byte
	b := append(buf[:0], 1)
	b = append(b, left...)
	return wire.Sum(append(b, right...))
}

// Tree takes leaves one by one and keeps one node a level.
type Tree struct {
	join   Join
	parked []node
	proven []uint64 // positions to prove, ascending
	leaves uint64
	proof  [][]byte
}

// node is a value and whether a proven leaf lies below it.
type node struct {
	value []byte
	path  bool
}

func (n node) empty() bool { return len(n.value) == 0 }

// NewTree returns an empty tree that will prove the leaves at the given
// strictly ascending positions.
func NewTree(join Join, proven ...uint64) *Tree {
	return &Tree{join: join, proven: proven}
}

// Add appends a leaf, which the tree may keep.
func (t *Tree) Add(leaf []byte) {
	n := node{value: leaf}
	if len(t.proven) > 0 && t.proven[0] == t.leaves {
		n.path, t.proven = true, t.proven[1:]
	}
	t.leaves++
	for level := 0; ; level++ {
		if level == len(t.parked) {
			t.parked = append(t.parked, node{})
		}
		if t.parked[level].empty() {
			t.parked[level] = n
			return
		}
		n = t.combine(t.parked[level], n)
		t.parked[level] = node{}
	}
}

// combine joins two nodes and collects the sibling of a proven path.
func (t *Tree) combine(left, right node) node {
	switch {
	case left.path && !right.path:
		t.proof = append(t.proof, right.value)
	case right.path && !left.path:
		t.proof = append(t.proof, left.value)
	}
	value := t.join(left.value, right.value)
	return node{value: value[:], path: left.path || right.path}
}

// Finish pads the tree and returns its root, which is empty for an empty tree,
// and the nodes that prove the chosen leaves. The tree is used up.
func (t *Tree) Finish() (root []byte, proof [][]byte) {
	var zero [32]byte
	var carried node
	for level, parked := range t.parked {
		top := level == len(t.parked)-1
		switch {
		case parked.empty() && carried.empty():
		case parked.empty():
			carried = t.combine(carried, node{value: zero[:]})
		case !carried.empty():
			carried = t.combine(parked, carried)
		case top:
			carried = parked
		default:
			carried = t.combine(parked, node{value: zero[:]})
		}
	}
	return carried.value, t.proof
}

// Root is the root over leaves.
func Root(join Join, leaves [][]byte) []byte {
	t := NewTree(join)
	for _, leaf := range leaves {
		t.Add(leaf)
	}
	root, _ := t.Finish()
	return root
}

// Prove returns the root over leaves and the nodes that prove the leaves at the
// given strictly ascending positions.
func Prove(join Join, leaves [][]byte, positions ...uint64) (root []byte, proof [][]byte) {
	t := NewTree(join, positions...)
	for _, leaf := range leaves {
		t.Add(leaf)
	}
	return t.Finish()
}
