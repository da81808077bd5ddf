package poet

import (
	"errors"
	"fmt"

	"github.com/smeshery/smeshery/pkg/poet/internal/sha256x"
)

// MaxKeptLayer bounds how much of the tree a proof has to work out again: a
// subtree of 2^20 leaves takes about fifteen seconds.
const MaxKeptLayer = 20

// DefaultKeptLayer keeps a mainnet round in 0.75 GB and costs about ten
// processor seconds when the proof is made.
const DefaultKeptLayer = 12

// Errors of resuming work. They mean that our own files are damaged.
var (
	ErrCheckpoint = errors.New("checkpoint is inconsistent")
	ErrKeptNodes  = errors.New("kept nodes do not fit the work")
	ErrNoLeaves   = errors.New("no leaves")
)

// Work is the sequential work over one statement (spec 03 §3).
type Work struct {
	hasher *Hasher
	forest forest
	kept   int
}

// NewWork starts at leaf 0 and will give out the nodes of layer kept.
func NewWork(statement []byte, kept uint8) (*Work, error) {
	return ResumeWork(Checkpoint{Statement: statement, KeptLayer: kept})
}

// ResumeWork continues where a checkpoint was taken.
func ResumeWork(c Checkpoint) (*Work, error) {
	w, err := newWork(sha256x.Best(), c.Statement, c.KeptLayer)
	if err != nil {
		return nil, err
	}
	if err := w.forest.restore(c.Leaves, c.Parked); err != nil {
		return nil, err
	}
	return w, nil
}

func newWork(engine sha256x.Engine, statement []byte, kept uint8) (*Work, error) {
	if kept > MaxKeptLayer {
		return nil, fmt.Errorf("keeping layer %d of the work: the limit is %d", kept, MaxKeptLayer)
	}
	hasher := newHasher(engine, statement)
	return &Work{hasher: hasher, kept: int(kept), forest: forest{join: hasher.joinNodes}}, nil
}

func (h *Hasher) joinNodes(dst, left, right *Node) { h.Node(dst, left[:], right[:]) }

// Leaves is how many leaves there are.
func (w *Work) Leaves() uint64 { return w.forest.leaves }

// Advance adds count leaves and appends to kept the nodes of the kept layer that
// this completed. It does not allocate if kept has room.
func (w *Work) Advance(count uint64, kept []byte) []byte {
	for range count {
		if w.addLeaf() >= w.kept {
			kept = append(kept, w.forest.made[w.kept][:]...)
		}
	}
	return kept
}

// addLeaf returns the highest layer in which a node became complete.
func (w *Work) addLeaf() int {
	f := &w.forest
	msg := w.hasher.labelStart(f.leaves)
	for layer := range f.layers() {
		if f.leaves>>layer&1 == 1 {
			msg = append(msg, f.parked[layer][:]...)
		}
	}
	var label Node
	w.hasher.finishLabel(&label, msg)
	return f.add(&label)
}

// Root is the root over the leaves there are, or false without leaves.
func (w *Work) Root() (Node, bool) { return w.forest.root() }

// Checkpoint is all that is needed to continue, besides the kept nodes, which
// only the proof needs.
func (w *Work) Checkpoint() Checkpoint {
	return Checkpoint{
		Statement: w.hasher.msg[:w.hasher.salt:w.hasher.salt],
		KeptLayer: uint8(w.kept),
		Leaves:    w.forest.leaves,
		Parked:    w.forest.waiting(),
	}
}

// waiting lists the parked nodes, the lowest first.
func (f *forest) waiting() []Node {
	var nodes []Node
	for layer := range f.layers() {
		if f.leaves>>layer&1 == 1 {
			nodes = append(nodes, f.parked[layer])
		}
	}
	return nodes
}

// restore is the inverse of waiting.
func (f *forest) restore(leaves uint64, waiting []Node) error {
	f.leaves = leaves
	for layer := range f.layers() {
		if leaves>>layer&1 == 0 {
			continue
		}
		if len(waiting) == 0 {
			return fmt.Errorf("%w: parked node of layer %d is missing", ErrCheckpoint, layer)
		}
		f.parked[layer], waiting = waiting[0], waiting[1:]
	}
	if len(waiting) > 0 {
		return fmt.Errorf("%w: %d parked nodes too many", ErrCheckpoint, len(waiting))
	}
	return nil
}
