package atxcache

import (
	"encoding/binary"
	"math/bits"

	"github.com/smeshery/smeshery/pkg/wire"
)

const (
	chunkBits = 14 // 2 MiB
	chunkSize = 1 << chunkBits
	minSlots  = 1 << 8
	// Indexes are filled to three quarters.
	loadNum, loadDenom = 3, 4
)

type chunk [chunkSize]Entry

// epoch holds the ATXs of one target epoch. Positions count from 1, so that an
// empty slot is 0.
type epoch struct {
	target wire.EpochID
	seed   uint64
	chunks []*chunk
	n      uint32
	// slotBits is the logarithm of the indexes' length.
	slotBits int
	// byID: position in the low slotBits bits, and above them as much of the
	// hash as there is room for, so that a probe that passes by hardly ever
	// looks at a foreign entry.
	byID []uint32
	// byNode: positions. An identity with several ATXs has several slots.
	byNode []uint32
}

func newEpoch(target wire.EpochID, seed uint64) *epoch {
	e := &epoch{target: target, seed: seed}
	e.resize(minSlots)
	return e
}

func (e *epoch) resize(slots int) {
	e.byID, e.byNode = make([]uint32, slots), make([]uint32, slots)
	e.slotBits = bits.TrailingZeros(uint(slots))
}

// idHash keeps neighbours together: active sets come sorted, and are looked up
// from one end of the index to the other. IDs are hashes already.
func (e *epoch) idHash(id *wire.ATXID) uint64 { return binary.BigEndian.Uint64(id[:]) ^ e.seed }

// nodeHash mixes, because public keys may be chosen at no cost.
func (e *epoch) nodeHash(id *wire.NodeID) uint64 {
	x := binary.LittleEndian.Uint64(id[:]) ^ e.seed
	x = (x ^ x>>32) * 0x9e3779b97f4a7c15
	return x ^ x>>29
}

// tag is the part of a hash that stands in a slot beside the position. It is
// taken from the end of the hash that does not choose the slot.
func (e *epoch) tag(hash uint64) uint32 { return uint32(hash) << e.slotBits }

func (e *epoch) slot(hash uint64) uint32 { return uint32(hash >> (64 - e.slotBits)) }

func (e *epoch) at(position uint32) *Entry {
	position--
	return &e.chunks[position>>chunkBits][position&(chunkSize-1)]
}

// find returns the position of an ATX, or 0.
func (e *epoch) find(id *wire.ATXID, hash uint64) uint32 {
	mask, tag := uint32(len(e.byID)-1), e.tag(hash)
	for slot := e.slot(hash); ; slot = (slot + 1) & mask {
		held := e.byID[slot]
		if held == 0 {
			return 0
		}
		if held&^mask == tag && e.at(held&mask).ID == *id {
			return held & mask
		}
	}
}

// add appends an entry unless its ATX is there.
func (e *epoch) add(entry *Entry) bool {
	hash := e.idHash(&entry.ID)
	if e.find(&entry.ID, hash) != 0 {
		return false
	}
	if uint64(e.n+1)*loadDenom > uint64(len(e.byID))*loadNum {
		e.grow()
	}
	if e.n&(chunkSize-1) == 0 {
		e.chunks = append(e.chunks, new(chunk))
	}
	e.n++
	*e.at(e.n) = *entry
	e.index(e.n, entry)
	return true
}

func (e *epoch) index(position uint32, entry *Entry) {
	mask, hash := uint32(len(e.byID)-1), e.idHash(&entry.ID)
	slot := e.slot(hash)
	for e.byID[slot] != 0 {
		slot = (slot + 1) & mask
	}
	e.byID[slot] = e.tag(hash) | position

	slot = uint32(e.nodeHash(&entry.NodeID)) & mask
	for e.byNode[slot] != 0 {
		slot = (slot + 1) & mask
	}
	e.byNode[slot] = position
}

// grow doubles the indexes. Entries stay where they are.
func (e *epoch) grow() {
	e.resize(2 * len(e.byID))
	for position := uint32(1); position <= e.n; position++ {
		e.index(position, e.at(position))
	}
}

// nodes yields the entries of an identity.
func (e *epoch) nodes(id *wire.NodeID, yield func(*Entry) bool) {
	mask := uint32(len(e.byNode) - 1)
	for slot := uint32(e.nodeHash(id)) & mask; e.byNode[slot] != 0; slot = (slot + 1) & mask {
		if entry := e.at(e.byNode[slot]); entry.NodeID == *id && !yield(entry) {
			return
		}
	}
}

// lanes is how many look-ups are under way at once when a whole set is weighed:
// enough to have the memory's latency overlap.
const lanes = 32

// weigh adds the weights of the ATXs that are there. The first loop finds where
// they should be, the second begins to load all of these entries, and only the
// third decides anything by what they hold.
func (e *epoch) weigh(ids []wire.ATXID, sum *Sum) {
	var homes [lanes]*Entry
	none := new(Entry)
	mask := uint32(len(e.byID) - 1)
	for len(ids) > 0 {
		batch := ids[:min(lanes, len(ids))]
		ids = ids[len(batch):]
		for i := range batch {
			homes[i] = none
			if held := e.byID[e.slot(e.idHash(&batch[i]))]; held != 0 {
				homes[i] = e.at(held & mask)
			}
		}
		var weights [lanes]uint64
		for i := range batch {
			weights[i] = homes[i].Weight
		}
		for i := range batch {
			weight := weights[i]
			if homes[i] == none || homes[i].ID != batch[i] { // pushed out of its first slot
				position := e.find(&batch[i], e.idHash(&batch[i]))
				if position == 0 {
					continue
				}
				weight = e.at(position).Weight
			}
			sum.Found++
			sum.Weight += weight
		}
	}
}
