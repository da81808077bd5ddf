package atxcache

import "github.com/smeshery/smeshery/pkg/wire"

// segmentBits is how many bits of a place choose the segment. With 1,024 of
// them, growing moves some thousand of a million entries at a time.
const segmentBits = 10

// epoch holds the ATXs of one target epoch.
type epoch struct {
	target   wire.EpochID
	seed     uint64
	seeds    seeds
	n        uint32
	segments [1 << segmentBits]segment
	byNode   []uint32
}

func newEpoch(target wire.EpochID, seed uint64) *epoch {
	return &epoch{target: target, seed: seed, seeds: newSeeds(seed), byNode: make([]uint32, minNodeSlots)}
}

func (e *epoch) segment(place uint32) *segment { return &e.segments[place>>(32-segmentBits)] }

// add takes an entry unless its ATX is there.
func (e *epoch) add(entry *Entry) bool {
	k := e.seeds.key(&entry.ID)
	s := e.segment(k.place)
	if s.find(k, &entry.ID) != nil {
		return false
	}
	s.insert(&e.seeds, k, entry, e.n)
	e.n++
	e.addNode(&entry.NodeID, k.place)
	return true
}

// all yields the entries, with what their arrival was, in the order of their
// places, more or less.
func (e *epoch) all(yield func(*Entry, uint32) bool) {
	for i := range e.segments {
		s := &e.segments[i]
		for at := range s.tags {
			b := &s.buckets[at]
			for slot := range s.tags[at].taken() {
				if !yield(&b.entries[slot], b.arrivals[slot]) {
					return
				}
			}
		}
	}
}

func (e *epoch) byArrival() []*Entry {
	sorted := make([]*Entry, e.n)
	for entry, arrival := range e.all {
		sorted[arrival] = entry
	}
	return sorted
}

// lanes is how many look-ups are under way at once when a whole set is weighed:
// enough to have the memory's latency overlap.
const lanes = 32

// weigh adds the weights of the ATXs that are there. The first loop finds where
// they should be, the second begins to load all of these entries, and only the
// third decides anything by what they hold.
func (e *epoch) weigh(ids []wire.ATXID, sum *Sum) {
	var guesses [lanes]*Entry
	none := new(Entry)
	for len(ids) > 0 {
		batch := ids[:min(lanes, len(ids))]
		ids = ids[len(batch):]
		for i := range batch {
			k := e.seeds.key(&batch[i])
			if guesses[i] = e.segment(k.place).guess(k); guesses[i] == nil {
				guesses[i] = none
			}
		}
		var weights [lanes]uint64
		for i := range batch {
			weights[i] = guesses[i].Weight
		}
		for i := range batch {
			weight := weights[i]
			if guesses[i] == none || !same(&guesses[i].ID, &batch[i]) { // another's tag, or not at home
				k := e.seeds.key(&batch[i])
				entry := e.segment(k.place).find(k, &batch[i])
				if entry == nil {
					continue
				}
				weight = entry.Weight
			}
			sum.Found++
			sum.Weight += weight
		}
	}
}
