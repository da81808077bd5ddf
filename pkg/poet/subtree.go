package poet

import "fmt"

// Subtree is the part of the work below one node of the kept layer. Different
// subtrees may be recomputed at the same time.
type Subtree struct {
	end    *Checkpoint
	number uint64
	// before are the nodes that waited when the subtree began, the lowest first.
	before []Node
	root   Node
	wanted wanted
}

// eachAncestor visits the nodes that waited when the subtree began: one for
// every bit set in its number.
func (s *Subtree) eachAncestor(visit func(layer int, index uint64)) {
	for layer := 0; s.number>>layer > 0; layer++ {
		if s.number>>layer&1 == 1 {
			visit(layer+int(s.end.KeptLayer), s.number>>layer-1)
		}
	}
}

// Recompute works the leaves out again and keeps what the proof needs. It fails
// with ErrKeptNodes if they do not lead to the node that was kept.
func (s *Subtree) Recompute() error {
	kept := s.end.KeptLayer
	first := s.number << kept
	w, err := ResumeWork(Checkpoint{Statement: s.end.Statement, KeptLayer: kept, Leaves: first, Parked: s.before})
	if err != nil {
		return err
	}
	s.wanted.reset()
	for w.forest.leaves < min(first+1<<kept, s.end.Leaves) {
		leaf := w.forest.leaves
		for layer := range min(w.addLeaf(), int(kept)-1) + 1 {
			s.wanted.offer(layer, leaf>>layer, &w.forest.made[layer])
		}
	}
	if !s.endsRight(w) {
		return fmt.Errorf("%w: subtree %d of layer %d", ErrKeptNodes, s.number, kept)
	}
	return nil
}

// endsRight compares with the kept node, or for the subtree that the work broke
// off in with the end of the work.
func (s *Subtree) endsRight(w *Work) bool {
	if s.number < s.end.KeptNodes() {
		return w.forest.made[s.end.KeptLayer] == s.root
	}
	end := w.Checkpoint().Parked
	if len(end) != len(s.end.Parked) {
		return false
	}
	for i := range end {
		if end[i] != s.end.Parked[i] {
			return false
		}
	}
	return true
}
