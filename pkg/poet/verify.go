package poet

import (
	"bytes"
	"math/bits"

	"github.com/smeshery/smeshery/pkg/poet/internal/sha256x"
	"github.com/smeshery/smeshery/pkg/wire"
)

// VerifyProof checks that a proof shows LeafCount leaves of sequential work
// over the statement (spec 03 §6). count is the number of leaves to open,
// SecurityParam on every network. Errors are RuleErrors.
func VerifyProof(statement []byte, proof *wire.PoetProof, count int) error {
	return verifyProof(sha256x.Best(), statement, proof, count)
}

func verifyProof(engine sha256x.Engine, statement []byte, proof *wire.PoetProof, count int) error {
	if len(proof.ProvenLeaves) != count {
		return RuleLeafCount.because("%d leaves instead of %d", len(proof.ProvenLeaves), count)
	}
	opened := OpenedLeaves(proof.Root, proof.LeafCount, count)
	if len(opened) != count || count == 0 {
		return RuleIndexCount.because("%d leaves to open, not %d", len(opened), count)
	}
	check := newProofCheck(engine, statement, opened)
	root, used := check.root(proof)
	if !bytes.Equal(root, proof.Root) {
		return RuleMerkleRoot.Broken()
	}
	// Nodes that run out early leave leaves that nothing ties to the root. A
	// proof of that shape costs next to no work, so it must not pass.
	if used != len(opened) {
		return RuleMerkleRoot.because("%d leaves are not below the root", len(opened)-used)
	}
	return check.labels(proof.ProvenLeaves)
}

// proofCheck collects, while the root is rebuilt, the message behind every
// opened label: statement, leaf number and the left siblings of its path.
type proofCheck struct {
	hasher   *Hasher
	opened   []uint64
	messages [][]byte
}

func newProofCheck(engine sha256x.Engine, statement []byte, opened []uint64) *proofCheck {
	c := &proofCheck{
		hasher:   newHasher(engine, statement),
		opened:   opened,
		messages: make([][]byte, len(opened)),
	}
	// A path has at most as many left siblings as its leaf number has bits.
	total := 0
	for _, leaf := range opened {
		total += c.room(leaf)
	}
	buf := make([]byte, total)
	for i, leaf := range opened {
		room := c.room(leaf)
		c.messages[i] = append(buf[:0:room], c.hasher.labelStart(leaf)...)
		buf = buf[room:]
	}
	return c
}

func (c *proofCheck) room(leaf uint64) int {
	return c.hasher.salt + 8 + len(Node{})*bits.OnesCount64(leaf) + sha256x.MaxPadding
}

// root is the rebuilt root and how many of the leaves went into it.
func (c *proofCheck) root(proof *wire.PoetProof) (root []byte, used int) {
	made := make([]Node, 0, len(proof.ProvenLeaves)+len(proof.ProofNodes))
	tree := rebuild[[]byte]{
		indices: c.opened,
		leaves:  proof.ProvenLeaves,
		nodes:   proof.ProofNodes,
		join: func(left, right []byte) []byte {
			made = append(made, Node{})
			node := &made[len(made)-1]
			c.hasher.Node(node, left, right)
			return node[:]
		},
		left: func(from, to int, sibling []byte) {
			for i := from; i < to; i++ {
				c.messages[i] = append(c.messages[i], sibling...)
			}
		},
	}
	root = tree.root()
	return root, tree.next
}

// labels recomputes the labels two at a time, because the work on one hides
// the latency of the other.
func (c *proofCheck) labels(leaves [][]byte) error {
	for i := 0; i < len(leaves); i += 2 {
		var first, second Node
		c.firstHash(&first, i)
		if i+1 == len(leaves) {
			c.hasher.engine.Chain(&first, labelDepth-1)
			return c.compare(i, &first, leaves[i])
		}
		c.firstHash(&second, i+1)
		c.hasher.engine.ChainPair(&first, &second, labelDepth-1)
		if err := c.compare(i, &first, leaves[i]); err != nil {
			return err
		}
		if err := c.compare(i+1, &second, leaves[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (c *proofCheck) firstHash(dst *Node, i int) {
	msg := c.messages[i]
	c.hasher.engine.SumPadded(dst, sha256x.Pad(msg), len(msg))
}

func (c *proofCheck) compare(i int, label *Node, leaf []byte) error {
	if bytes.Equal(label[:], leaf) {
		return nil
	}
	return RuleLabel.because("leaf %d", c.opened[i])
}
