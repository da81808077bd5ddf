package merkle

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// Reasons why a proof cannot be looked at (spec 01 §22.3).
var (
	ErrCount     = errors.New("positions and leaves differ in number")
	ErrNoLeaves  = errors.New("no leaves to verify")
	ErrUnsorted  = errors.New("positions are not sorted")
	ErrDuplicate = errors.New("position occurs twice")
)

// Verify tells whether nodes prove that the leaves stand at the positions of
// the tree with the given root. An error means that the question makes no sense;
// it counts as a proof that does not hold.
//
// Leaves that the nodes do not reach are not looked at, and positions count
// modulo the width that the number of nodes gives (spec 01 §22.3).
func Verify[N ~[32]byte](join Join, positions []uint64, leaves [][]byte, nodes []N, root []byte) (bool, error) {
	if len(positions) != len(leaves) {
		return false, fmt.Errorf("%w: %d and %d", ErrCount, len(positions), len(leaves))
	}
	if len(leaves) == 0 {
		return false, ErrNoLeaves
	}
	if !slices.IsSorted(positions) {
		return false, ErrUnsorted
	}
	for i := range positions[1:] {
		if positions[i] == positions[i+1] {
			return false, fmt.Errorf("%w: %d", ErrDuplicate, positions[i])
		}
	}
	c := climber[N]{join: join, positions: positions, leaves: leaves, nodes: nodes}
	return bytes.Equal(c.climb(-1), root), nil
}

// climber holds what is not used up yet.
type climber[N ~[32]byte] struct {
	join      Join
	positions []uint64
	leaves    [][]byte
	nodes     []N
}

// climb takes the next leaf and joins it with its siblings up to height stop,
// or as far as the nodes reach if stop is negative. It calls itself for a
// sibling that is proven too, always for a lower height.
func (c *climber[N]) climb(stop int) []byte {
	value, position := c.leaves[0], c.positions[0]
	c.leaves, c.positions = c.leaves[1:], c.positions[1:]
	for height := 0; height != stop; height++ {
		var sibling []byte
		switch {
		case len(c.positions) > 0 && c.positions[0]>>height == position^1:
			sibling = c.climb(height)
		case len(c.nodes) > 0:
			n := [32]byte(c.nodes[0])
			sibling, c.nodes = n[:], c.nodes[1:]
		default:
			return value
		}
		var joined [32]byte
		if position&1 == 1 {
			joined = c.join(sibling, value)
		} else {
			joined = c.join(value, sibling)
		}
		value, position = joined[:], position>>1
	}
	return value
}
