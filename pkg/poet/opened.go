package poet

// walkSiblings calls visit for the position of every proof node of the proof of
// some leaves, in the order in which a verifier consumes them (spec 03 §3.7).
// Leaves ascend; height is the padded tree's.
func walkSiblings(leaves []uint64, height int, visit func(layer int, index uint64)) {
	if len(leaves) > 0 {
		w := siblingWalk{rest: leaves, visit: visit}
		w.open(height)
	}
}

type siblingWalk struct {
	rest  []uint64
	visit func(layer int, index uint64)
}

func (w *siblingWalk) open(stop int) {
	index := w.rest[0]
	w.rest = w.rest[1:]
	for layer := range stop {
		sibling := index ^ 1
		if len(w.rest) > 0 && w.rest[0]>>layer == sibling {
			w.open(layer)
		} else {
			w.visit(layer, sibling)
		}
		index >>= 1
	}
}

// rebuild computes the root that some leaves and proof nodes lead to (spec 03
// §6.2). It uses up all nodes. Leaves and indices are equally many, at least
// one, and indices ascend without duplicates.
type rebuild[V any] struct {
	indices []uint64
	leaves  []V
	nodes   []V
	join    func(left, right V) V
	// left, if set, is told of every left sibling on the paths of leaves
	// from to to-1, the lower ones of a path first.
	left func(from, to int, sibling V)
	next int
}

func (r *rebuild[V]) root() V { return r.subtree(-1) }

func (r *rebuild[V]) subtree(stop int) V {
	first := r.next
	index, value := r.indices[first], r.leaves[first]
	r.next++
	// Above bit 63 every index is 0, so the depth of recursion stays below 64
	// however many nodes there are.
	for layer := 0; layer != stop; layer++ {
		sibling, middle := index^1, r.next
		var other V
		switch {
		case middle < len(r.indices) && r.indices[middle]>>layer == sibling:
			other = r.subtree(layer)
		case len(r.nodes) == 0:
			return value
		default:
			other, r.nodes = r.nodes[0], r.nodes[1:]
		}
		if index&1 == 1 {
			r.tell(first, middle, other)
			value = r.join(other, value)
		} else {
			r.tell(middle, r.next, value)
			value = r.join(value, other)
		}
		index >>= 1
	}
	return value
}

func (r *rebuild[V]) tell(from, to int, sibling V) {
	if r.left != nil && from < to {
		r.left(from, to, sibling)
	}
}
