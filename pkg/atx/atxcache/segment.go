package atxcache

import (
	"encoding/binary"
	"math/bits"

	"github.com/smeshery/smeshery/pkg/wire"
)

const (
	bucketSlots = 16
	// bucketLoad is how many ATXs a bucket holds on average before its segment
	// grows. At thirteen, about four in a hundred stand behind their own bucket.
	bucketLoad = 13
	// growth is the part by which a segment grows: little, so that hardly less
	// than seven slots in ten are taken. As long as memory is no matter, up to
	// slowFrom buckets, it doubles.
	growth, slowFrom = 6, 32

	lowBytes  = 0x0101010101010101
	highBytes = 0x8080808080808080
)

// key is what an ATX is looked up by: its place, which is the ID's first bytes,
// and a tag. IDs are hashes already, and in the order of places sorted sets walk
// memory from one end to the other. Neither is ever 0.
type key struct {
	place uint32
	tag   uint64 // a byte
}

// seeds make keys. They are an epoch's own copy, and secret.
type seeds struct {
	place uint32
	tag   uint64 // odd
}

func newSeeds(seed uint64) seeds {
	return seeds{place: uint32(seed), tag: bits.RotateLeft64(seed, 32) | 1}
}

// key takes the tag from other bytes than the place, and multiplies them with
// the seed, so that nobody can make many IDs of one place and tag.
func (s *seeds) key(id *wire.ATXID) key {
	tag := binary.LittleEndian.Uint64(id[8:]) * s.tag >> 56
	if tag == 0 {
		tag = 1
	}
	return key{place: s.placeOf(id), tag: tag}
}

func (s *seeds) placeOf(id *wire.ATXID) uint32 {
	// The word, unlike four bytes, is also what a comparison loads.
	return (bits.ReverseBytes32(uint32(binary.LittleEndian.Uint64(id[:]))) ^ s.place) | 1
}

// same compares without a call.
func same(a, b *wire.ATXID) bool {
	return (binary.LittleEndian.Uint64(a[:])^binary.LittleEndian.Uint64(b[:]))|
		(binary.LittleEndian.Uint64(a[8:])^binary.LittleEndian.Uint64(b[8:]))|
		(binary.LittleEndian.Uint64(a[16:])^binary.LittleEndian.Uint64(b[16:]))|
		(binary.LittleEndian.Uint64(a[24:])^binary.LittleEndian.Uint64(b[24:])) == 0
}

// bucket has room for the ATXs of a range of places.
type bucket struct {
	entries [bucketSlots]Entry
	// arrivals count the entries of an epoch.
	arrivals [bucketSlots]uint32
}

// tags has a byte for each slot of a bucket, which is 0 while the slot is free:
// even slots' in the first word, odd slots' in the second. Slots are taken from
// the first on and never freed. All tags are compared at once and without a
// branch: a wrong guess by the processor costs it the overlap of one look-up's
// cache misses with the next one's.
type tags [2]uint64

// candidates has a bit for every slot with a tag: that of slot i at 4i+3.
func (t *tags) candidates(tag uint64) uint64 {
	all := tag * lowBytes
	return zeroBytes(t[0]^all)>>4 | zeroBytes(t[1]^all)
}

// first is the slot of the first of some candidates.
func first(candidates uint64) int {
	return bits.TrailingZeros64(candidates) / 4 & (bucketSlots - 1)
}

func (t *tags) full() bool { return t[1]>>56 != 0 }

// taken is the number of slots that are.
func (t *tags) taken() int {
	return (bits.Len64(t[0])+7)/8 + (bits.Len64(t[1])+7)/8
}

func (t *tags) at(slot int) uint64 { return t[slot%2] >> (slot / 2 * 8) & 0xff }

func (t *tags) set(slot int, tag uint64) { t[slot%2] |= tag << (slot / 2 * 8) }

// zeroBytes sets the top bit of the bytes that are 0, and no other.
func zeroBytes(x uint64) uint64 { return ^((x | highBytes) - lowBytes) & ^x & highBytes }

// segment is a hash table for a range of places: buckets in their order. Who
// finds the own bucket full goes to the next one that is not.
type segment struct {
	tags    []tags
	buckets []bucket
	n       int
	_       int // 64 bytes
}

// home is the bucket of a place. A segment knows places by all but their first
// bits.
func (s *segment) home(place uint32) int {
	return int(uint64(place<<segmentBits) * uint64(len(s.tags)) >> 32)
}

func (s *segment) next(at int) int {
	if at++; at < len(s.tags) {
		return at
	}
	return 0
}

// guess is the entry that find most likely returns, without a look at it. It is
// nil if there is none at home.
func (s *segment) guess(k key) *Entry {
	at := uint(s.home(k.place))
	if at >= uint(len(s.tags)) || at >= uint(len(s.buckets)) {
		return nil // empty
	}
	candidates := s.tags[at].candidates(k.tag)
	if candidates == 0 {
		return nil
	}
	return &s.buckets[at].entries[first(candidates)]
}

// find returns the entry of an ATX, or nil.
func (s *segment) find(k key, id *wire.ATXID) *Entry {
	if s.n == 0 {
		return nil
	}
	for at := s.home(k.place); ; at = s.next(at) {
		for rest := s.tags[at].candidates(k.tag); rest != 0; rest &= rest - 1 {
			if entry := &s.buckets[at].entries[first(rest)]; same(&entry.ID, id) {
				return entry
			}
		}
		if !s.tags[at].full() {
			return nil
		}
	}
}

// near yields the entries that may be those of a place.
func (s *segment) near(place uint32, yield func(*Entry) bool) bool {
	if s.n == 0 {
		return true
	}
	for at := s.home(place); ; at = s.next(at) {
		for slot := range s.tags[at].taken() {
			if !yield(&s.buckets[at].entries[slot]) {
				return false
			}
		}
		if !s.tags[at].full() {
			return true
		}
	}
}

// insert takes an entry that is not there.
func (s *segment) insert(seeds *seeds, k key, entry *Entry, arrival uint32) {
	if s.n == len(s.tags)*bucketLoad {
		s.grow(seeds)
	}
	s.n++
	s.put(k, entry, arrival)
}

func (s *segment) put(k key, entry *Entry, arrival uint32) {
	at := s.home(k.place)
	for s.tags[at].full() {
		at = s.next(at)
	}
	slot := s.tags[at].taken()
	s.tags[at].set(slot, k.tag)
	s.buckets[at].entries[slot], s.buckets[at].arrivals[slot] = *entry, arrival
}

// grow moves all entries.
func (s *segment) grow(seeds *seeds) {
	old := *s
	count := max(1, 2*len(old.tags))
	if len(old.tags) >= slowFrom {
		count = len(old.tags) + len(old.tags)/growth
	}
	s.tags, s.buckets = make([]tags, count), make([]bucket, count)
	for at := range old.tags {
		from := &old.buckets[at]
		for slot := range old.tags[at].taken() {
			k := key{place: seeds.placeOf(&from.entries[slot].ID), tag: old.tags[at].at(slot)}
			s.put(k, &from.entries[slot], from.arrivals[slot])
		}
	}
}
