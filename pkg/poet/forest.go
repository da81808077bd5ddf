package poet

import "math/bits"

// joiner stores the parent of two nodes in dst.
type joiner func(dst, left, right *Node)

// forest is a growing binary Merkle tree of which only the right edge is held:
// the left children that wait for their siblings (spec 03 §3.2).
type forest struct {
	join   joiner
	leaves uint64
	// parked[h] is valid where bit h of leaves is set.
	parked [64]Node
	// made[h] is the node of layer h that the last leaf completed.
	made [64]Node
}

// add appends a leaf and returns the highest layer in which that completed a
// node; the nodes are in made[0..top], each being number (leaf >> layer).
func (f *forest) add(leaf *Node) (top int) {
	f.made[0] = *leaf
	for ; f.leaves>>top&1 == 1; top++ {
		f.join(&f.made[top+1], &f.parked[top], &f.made[top])
	}
	f.parked[top] = f.made[top]
	f.leaves++
	return top
}

// layers is how many layers exist.
func (f *forest) layers() int { return bits.Len64(f.leaves) }

// edge is the right edge of a padded tree: partial[h] is the value of layer h's
// node that has some, but not all of its leaves, where there is one.
type edge struct {
	partial [65]Node
	exists  [65]bool
	height  int
}

// edge pads on the fly with zero nodes, which are not hashed up (spec 03 §3.4).
func (f *forest) edge() *edge {
	e := &edge{height: treeHeight(f.leaves)}
	var zero Node
	for h := range f.layers() {
		switch parked := f.leaves>>h&1 == 1; {
		case parked && e.exists[h]:
			f.join(&e.partial[h+1], &f.parked[h], &e.partial[h])
		case parked:
			f.join(&e.partial[h+1], &f.parked[h], &zero)
		case e.exists[h]:
			f.join(&e.partial[h+1], &e.partial[h], &zero)
		default:
			continue
		}
		e.exists[h+1] = true
	}
	return e
}

// root is the padded root, or false without leaves.
func (f *forest) root() (Node, bool) {
	if f.leaves == 0 {
		return Node{}, false
	}
	if h := f.layers() - 1; f.leaves == 1<<h {
		return f.parked[h], true
	}
	e := f.edge()
	return e.partial[f.layers()], true
}

// treeHeight is the height of the padded tree over n leaves.
func treeHeight(n uint64) int {
	if n == 0 {
		return 0
	}
	return bits.Len64(n - 1)
}
