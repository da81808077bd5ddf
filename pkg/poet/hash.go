package poet

import (
	"encoding/binary"

	"github.com/zeebo/blake3"

	"github.com/smeshery/smeshery/pkg/poet/internal/sha256x"
)

// Node is a value of a tree: a label, a challenge or an inner node.
type Node = [32]byte

// labelDepth is how many SHA-256 applications make a label (spec 03 §3.1).
const labelDepth = 400

// Hasher computes labels and nodes of the work over one statement. It reuses a
// buffer, so one goroutine at a time may use it.
type Hasher struct {
	engine sha256x.Engine
	salt   int
	msg    []byte
}

// NewHasher salts with the statement, whatever its length.
func NewHasher(statement []byte) *Hasher { return newHasher(sha256x.Best(), statement) }

func newHasher(engine sha256x.Engine, statement []byte) *Hasher {
	const labelPath = 8 + 64*len(Node{})
	msg := make([]byte, 0, len(statement)+labelPath+sha256x.MaxPadding)
	return &Hasher{engine: engine, salt: len(statement), msg: append(msg, statement...)}
}

// Node stores the parent of two nodes in dst (spec 03 §3.1 Node_S). Either may
// have any length: hostile proofs hold such nodes.
func (h *Hasher) Node(dst *Node, left, right []byte) {
	msg := append(append(h.msg[:h.salt], left...), right...)
	h.engine.SumPadded(dst, sha256x.Pad(msg), len(msg))
}

// Label stores the label of a leaf in dst; siblings are the left siblings on
// its path that exist, the lowest first (spec 03 §3.3).
func (h *Hasher) Label(dst *Node, leaf uint64, siblings ...[]byte) {
	msg := h.labelStart(leaf)
	for _, sibling := range siblings {
		msg = append(msg, sibling...)
	}
	h.finishLabel(dst, msg)
}

func (h *Hasher) labelStart(leaf uint64) []byte {
	return binary.BigEndian.AppendUint64(h.msg[:h.salt], leaf)
}

func (h *Hasher) finishLabel(dst *Node, msg []byte) {
	h.engine.SumPadded(dst, sha256x.Pad(msg), len(msg))
	h.engine.Chain(dst, labelDepth-1)
}

// MembershipNode is the parent of two nodes of the membership tree (spec 03 §3.1 Member).
func MembershipNode(left, right Node) Node {
	var msg [1 + 2*len(left)]byte
	msg[0] = 1
	copy(msg[1:], left[:])
	copy(msg[1+len(left):], right[:])
	return blake3.Sum256(msg[:])
}
