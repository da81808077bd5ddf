package poet

import (
	"fmt"
	"slices"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Opening makes the proof of finished work (spec 03 §10.4). Its owner feeds it
// all kept nodes in order, has the Subtrees recomputed, side by side if it likes,
// and takes the Proof.
type Opening struct {
	end     Checkpoint
	final   forest
	right   *edge
	root    Node
	opened  []uint64
	upper   forest
	wanted  wanted
	subtree []Subtree
}

// NewOpening plans the proof of the work that a checkpoint ends, opening count
// leaves.
func NewOpening(end Checkpoint, count int) (*Opening, error) {
	w, err := ResumeWork(end)
	if err != nil {
		return nil, err
	}
	root, ok := w.Root()
	if !ok {
		return nil, ErrNoLeaves
	}
	o := &Opening{
		end:    end,
		final:  w.forest,
		right:  w.forest.edge(),
		root:   root,
		opened: OpenedLeaves(root[:], end.Leaves, count),
		upper:  forest{join: w.hasher.joinNodes},
	}
	o.wanted.offset = int(end.KeptLayer)
	o.planSubtrees()
	return o, nil
}

// planSubtrees sorts the positions that the proof needs into those above the
// kept layer and those of the subtrees below it.
func (o *Opening) planSubtrees() {
	kept := int(o.end.KeptLayer)
	o.eachPosition(func(layer int, index uint64) {
		if layer >= kept {
			o.wanted.add(layer, index)
			return
		}
		s := o.subtreeOf(index >> (kept - layer))
		s.wanted.add(layer, index)
	})
	for i := range o.subtree {
		o.subtree[i].eachAncestor(o.wanted.add)
		if o.subtree[i].number < o.end.KeptNodes() {
			o.wanted.add(kept, o.subtree[i].number)
		}
	}
	o.wanted.sort()
	for i := range o.subtree {
		o.subtree[i].wanted.sort()
	}
}

// eachPosition visits opened leaves and those proof nodes that are complete.
func (o *Opening) eachPosition(visit func(layer int, index uint64)) {
	for _, leaf := range o.opened {
		visit(0, leaf)
	}
	walkSiblings(o.opened, o.right.height, func(layer int, index uint64) {
		if index < o.end.Leaves>>layer {
			visit(layer, index)
		}
	})
}

// subtreeOf finds or plans a subtree of the kept layer. Positions come in about
// ascending order, and there are at most as many subtrees as opened leaves.
func (o *Opening) subtreeOf(number uint64) *Subtree {
	at, found := slices.BinarySearchFunc(o.subtree, number, func(s Subtree, n uint64) int {
		return compareUint64(s.number, n)
	})
	if !found {
		o.subtree = slices.Insert(o.subtree, at, Subtree{end: &o.end, number: number})
	}
	return &o.subtree[at]
}

// AddKept takes the next kept nodes, any number of them.
func (o *Opening) AddKept(nodes []byte) error {
	size := len(Node{})
	count := uint64(len(nodes) / size)
	if len(nodes)%size != 0 || count > o.end.KeptNodes()-o.upper.leaves {
		return fmt.Errorf("%w: %d bytes after %d nodes of %d", ErrKeptNodes, len(nodes), o.upper.leaves, o.end.KeptNodes())
	}
	for node := range slices.Chunk(nodes, size) {
		index := o.upper.leaves
		for layer := range o.upper.add((*Node)(node)) + 1 {
			o.wanted.offer(layer, index>>layer, &o.upper.made[layer])
		}
	}
	return nil
}

// Subtrees are the parts below the kept layer that have to be worked out again.
// It fails unless all kept nodes were added and lead to the work's end.
func (o *Opening) Subtrees() ([]Subtree, error) {
	if o.upper.leaves != o.end.KeptNodes() {
		return nil, fmt.Errorf("%w: %d instead of %d", ErrKeptNodes, o.upper.leaves, o.end.KeptNodes())
	}
	kept := int(o.end.KeptLayer)
	for layer := range o.upper.layers() {
		if o.upper.leaves>>layer&1 == 1 && o.upper.parked[layer] != o.final.parked[layer+kept] {
			return nil, fmt.Errorf("%w: layer %d differs from the checkpoint", ErrKeptNodes, layer+kept)
		}
	}
	for i := range o.subtree {
		s := &o.subtree[i]
		s.before = s.before[:0]
		s.eachAncestor(func(layer int, index uint64) {
			s.before = append(s.before, o.wanted.value(layer, index))
		})
		if s.number < o.end.KeptNodes() {
			s.root = o.wanted.value(kept, s.number)
		}
	}
	return o.subtree, nil
}

// Proof is the finished proof; every subtree has been recomputed.
func (o *Opening) Proof() wire.PoetProof {
	proof := wire.PoetProof{LeafCount: o.end.Leaves}
	proof.Root = o.root[:]
	for _, leaf := range o.opened {
		proof.ProvenLeaves = append(proof.ProvenLeaves, o.value(0, leaf))
	}
	walkSiblings(o.opened, o.right.height, func(layer int, index uint64) {
		proof.ProofNodes = append(proof.ProofNodes, o.value(layer, index))
	})
	return proof
}

func (o *Opening) value(layer int, index uint64) []byte {
	var node Node
	switch kept := int(o.end.KeptLayer); {
	case index < o.end.Leaves>>layer && layer >= kept:
		node = o.wanted.value(layer, index)
	case index < o.end.Leaves>>layer:
		node = o.subtreeOf(index>>(kept-layer)).wanted.value(layer, index)
	case index == o.end.Leaves>>layer && o.right.exists[layer]:
		node = o.right.partial[layer]
	}
	return node[:]
}
