package poet

import "fmt"

// Layer is a layer of a tree that another program stored: nodes in order.
type Layer interface {
	// Width is how many nodes there are.
	Width() uint64
	// Node reads one of them.
	Node(index uint64) (Node, error)
}

// ImportWork continues work that the reference worker left behind: its layer
// files from layer 0 up, without gaps, as of some number of leaves (spec 03
// §10.3). Longer layers are cut. The highest of them becomes the kept layer,
// and take is called with its nodes in order.
func ImportWork(statement []byte, leaves uint64, layers []Layer, take func(Node) error) (*Work, error) {
	top := len(layers) - 1
	if top < 0 || top > MaxKeptLayer {
		return nil, fmt.Errorf("%w: %d layers", ErrKeptNodes, len(layers))
	}
	w, err := NewWork(statement, uint8(top))
	if err != nil {
		return nil, err
	}
	for layer := range layers {
		if width := layers[layer].Width(); width < leaves>>layer {
			return nil, fmt.Errorf("%w: layer %d has %d nodes of %d", ErrKeptNodes, layer, width, leaves>>layer)
		}
	}
	upper, err := w.importTop(layers[top], leaves>>top, take)
	if err != nil {
		return nil, err
	}
	copy(w.forest.parked[top:], upper.parked[:])
	for layer := range top {
		if leaves>>layer&1 == 0 {
			continue
		}
		if w.forest.parked[layer], err = layers[layer].Node(leaves>>layer - 1); err != nil {
			return nil, err
		}
	}
	w.forest.leaves = leaves
	return w, nil
}

// importTop grows the part of the tree above a layer from that layer's nodes.
func (w *Work) importTop(top Layer, width uint64, take func(Node) error) (*forest, error) {
	upper := &forest{join: w.hasher.joinNodes}
	for i := range width {
		node, err := top.Node(i)
		if err != nil {
			return nil, err
		}
		if err := take(node); err != nil {
			return nil, err
		}
		upper.add(&node)
	}
	return upper, nil
}
