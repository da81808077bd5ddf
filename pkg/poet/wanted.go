package poet

import (
	"cmp"
	"slices"
)

// wanted collects the values of certain nodes while a tree grows. Nodes of a
// layer are offered in ascending order, so each layer has a cursor.
type wanted struct {
	// offset is the layer that is offered as layer 0.
	offset int
	layers [64]wantedLayer
}

type wantedLayer struct {
	indices []uint64
	values  []Node
}

func compareUint64(a, b uint64) int { return cmp.Compare(a, b) }

func (w *wanted) add(layer int, index uint64) {
	l := &w.layers[layer]
	l.indices = append(l.indices, index)
}

// sort ends the adding.
func (w *wanted) sort() {
	for i := range w.layers {
		l := &w.layers[i]
		slices.Sort(l.indices)
		l.indices = slices.Compact(l.indices)
		l.values = make([]Node, 0, len(l.indices))
	}
}

// reset forgets what was offered.
func (w *wanted) reset() {
	for i := range w.layers {
		w.layers[i].values = w.layers[i].values[:0]
	}
}

// offer keeps the node if it is the next wanted one of its layer.
func (w *wanted) offer(layer int, index uint64, node *Node) {
	l := &w.layers[layer+w.offset]
	if next := len(l.values); next < len(l.indices) && l.indices[next] == index {
		l.values = append(l.values, *node)
	}
}

// value is a node that was wanted and offered.
func (w *wanted) value(layer int, index uint64) Node {
	l := &w.layers[layer]
	at, found := slices.BinarySearch(l.indices, index)
	if !found || at >= len(l.values) {
		return Node{}
	}
	return l.values[at]
}
