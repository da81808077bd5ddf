package tortoise

import (
	"slices"

	"github.com/smeshery/smeshery/pkg/wire"
)

// ATX is what counting needs of an activation.
type ATX struct {
	Node wire.NodeID
	// Weight is units times ticks.
	Weight uint64
	// Height is the tick height: base and own ticks.
	Height uint64
}

// ATXIndex is the node's index of activations by the epoch they target (spec 06
// §15). It is read while an input is handled and must not change meanwhile.
type ATXIndex interface {
	// ATX is an activation that targets the epoch.
	ATX(target wire.EpochID, id wire.ATXID) (ATX, bool)
	// Heights are the heights of all activations that target the epoch and whose
	// identity is not known as malicious, in any order.
	Heights(target wire.EpochID) []uint64
}

// ATXTable is an ATXIndex in memory.
type ATXTable struct {
	epochs    map[wire.EpochID]map[wire.ATXID]ATX
	malicious map[wire.NodeID]struct{}
}

// NewATXTable is an empty table.
func NewATXTable() *ATXTable {
	return &ATXTable{
		epochs:    make(map[wire.EpochID]map[wire.ATXID]ATX),
		malicious: make(map[wire.NodeID]struct{}),
	}
}

// Add enters an activation; a known one stays as it is. It tells whether it was new.
func (x *ATXTable) Add(target wire.EpochID, id wire.ATXID, atx ATX) bool {
	atxs := x.epochs[target]
	if atxs == nil {
		atxs = make(map[wire.ATXID]ATX)
		x.epochs[target] = atxs
	}
	if _, known := atxs[id]; known {
		return false
	}
	atxs[id] = atx
	return true
}

// SetMalicious takes an identity out of the heights of epochs.
func (x *ATXTable) SetMalicious(node wire.NodeID) { x.malicious[node] = struct{}{} }

// Drop forgets an epoch.
func (x *ATXTable) Drop(target wire.EpochID) { delete(x.epochs, target) }

// ATX is spec 06 §15.
func (x *ATXTable) ATX(target wire.EpochID, id wire.ATXID) (ATX, bool) {
	atx, ok := x.epochs[target][id]
	return atx, ok
}

// Heights is spec 06 §9.10.
func (x *ATXTable) Heights(target wire.EpochID) []uint64 {
	heights := make([]uint64, 0, len(x.epochs[target]))
	for _, atx := range x.epochs[target] {
		if _, malicious := x.malicious[atx.Node]; !malicious {
			heights = append(heights, atx.Height)
		}
	}
	return heights
}

// MedianHeight sorts heights and returns the middle, the mean of the two middle
// ones rounded down, or 0 of none (spec 06 §9.10).
func MedianHeight(heights []uint64) uint64 {
	slices.Sort(heights)
	n := len(heights)
	switch {
	case n == 0:
		return 0
	case n%2 == 1:
		return heights[n/2]
	}
	a, b := heights[n/2-1], heights[n/2]
	// The reference adds first, so that a sum beyond 64 bits wraps.
	return (a + b) / 2
}
