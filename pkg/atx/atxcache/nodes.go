package atxcache

import (
	"encoding/binary"

	"github.com/smeshery/smeshery/pkg/wire"
)

const (
	minNodeSlots = 1 << 8
	// The index of identities is filled to three quarters.
	loadNum, loadDenom = 3, 4
)

// The index of identities has open addressing, and tells the places of their
// ATXs: entries move, places stay. An identity with ATXs in several places has
// several slots; what one slot says may serve several identities.

// nodeHash mixes, because public keys may be chosen at no cost.
func (e *epoch) nodeHash(id *wire.NodeID) uint64 {
	x := binary.LittleEndian.Uint64(id[:]) ^ e.seed
	x = (x ^ x>>32) * 0x9e3779b97f4a7c15
	return x ^ x>>29
}

// addNode makes a place known that an entry of the identity was put in.
func (e *epoch) addNode(id *wire.NodeID, place uint32) {
	if int(e.n)*loadDenom <= len(e.byNode)*loadNum {
		e.indexNode(id, place)
		return
	}
	e.byNode = make([]uint32, 2*len(e.byNode))
	for entry := range e.all {
		e.indexNode(&entry.NodeID, e.seeds.placeOf(&entry.ID))
	}
}

// indexNode leaves out a place that a search for the identity comes by anyway.
func (e *epoch) indexNode(id *wire.NodeID, place uint32) {
	mask := uint32(len(e.byNode) - 1)
	slot := uint32(e.nodeHash(id)) & mask
	for e.byNode[slot] != 0 && e.byNode[slot] != place {
		slot = (slot + 1) & mask
	}
	e.byNode[slot] = place
}

// nodes yields the entries of an identity.
func (e *epoch) nodes(id *wire.NodeID, yield func(*Entry) bool) {
	mask := uint32(len(e.byNode) - 1)
	start := uint32(e.nodeHash(id)) & mask
	for slot := start; e.byNode[slot] != 0; slot = (slot + 1) & mask {
		place := e.byNode[slot]
		if e.cameBy(place, start, slot) {
			continue
		}
		more := e.segment(place).near(place, func(entry *Entry) bool {
			return entry.NodeID != *id || e.seeds.placeOf(&entry.ID) != place || yield(entry)
		})
		if !more {
			return
		}
	}
}

// cameBy tells whether a place stands in a slot from start up to before end: one
// of another identity that was put in after the slots between had filled.
func (e *epoch) cameBy(place, start, end uint32) bool {
	mask := uint32(len(e.byNode) - 1)
	for slot := start; slot != end; slot = (slot + 1) & mask {
		if e.byNode[slot] == place {
			return true
		}
	}
	return false
}
