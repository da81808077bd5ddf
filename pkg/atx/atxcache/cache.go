package atxcache

import (
	"cmp"
	"slices"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Cache holds the ATXs of some target epochs. Make it with New.
type Cache struct {
	seed      uint64
	epochs    []*epoch // descending
	evicted   wire.EpochID
	malicious map[wire.NodeID]struct{}
}

// New returns an empty cache. The seed should be random and secret: it decides
// where entries go.
func New(seed uint64) *Cache {
	return &Cache{seed: seed, malicious: make(map[wire.NodeID]struct{})}
}

func (c *Cache) epoch(target wire.EpochID) *epoch {
	for _, e := range c.epochs {
		if e.target == target {
			return e
		}
	}
	return nil
}

// Add puts an ATX into its target epoch. It is false if the ATX is there, or
// the epoch was evicted.
func (c *Cache) Add(target wire.EpochID, entry Entry) bool {
	if target < c.evicted {
		return false
	}
	e := c.epoch(target)
	if e == nil {
		e = newEpoch(target, c.seed)
		at, _ := slices.BinarySearchFunc(c.epochs, target, func(e *epoch, t wire.EpochID) int {
			return cmp.Compare(t, e.target)
		})
		c.epochs = slices.Insert(c.epochs, at, e)
	}
	_, known := c.malicious[entry.NodeID]
	entry.Malicious = entry.Malicious || known
	return e.add(&entry)
}

// Get returns the entry of an ATX.
func (c *Cache) Get(target wire.EpochID, id wire.ATXID) (Entry, bool) {
	if entry := c.find(target, &id); entry != nil {
		return *entry, true
	}
	return Entry{}, false
}

// Peek is Get without the copy, for paths that look at a field or two of many
// ATXs. The entry must not be written to, and is good until the next Add. It is
// nil if there is none.
func (c *Cache) Peek(target wire.EpochID, id *wire.ATXID) *Entry { return c.find(target, id) }

// find is all of a look-up that hits at once, without a further call, and Get
// and Peek are inlined: the shorter the way from one look-up to the next, the
// more of them the processor has under way.
func (c *Cache) find(target wire.EpochID, id *wire.ATXID) *Entry {
	e := c.epoch(target)
	if e == nil {
		return nil
	}
	k := e.seeds.key(id)
	s := e.segment(k.place)
	if at := uint(s.home(k.place)); at < uint(len(s.tags)) && at < uint(len(s.buckets)) {
		if candidates := s.tags[at].candidates(k.tag); candidates != 0 {
			if entry := &s.buckets[at].entries[first(candidates)]; same(&entry.ID, id) {
				return entry
			}
		}
	}
	return s.find(k, id)
}

// OfNode yields the entries that an identity signed for an epoch.
func (c *Cache) OfNode(target wire.EpochID, id wire.NodeID) func(func(Entry) bool) {
	return func(yield func(Entry) bool) {
		if e := c.epoch(target); e != nil {
			e.nodes(&id, func(entry *Entry) bool { return yield(*entry) })
		}
	}
}

// All yields the entries of an epoch in the order in which they came.
func (c *Cache) All(target wire.EpochID) func(func(Entry) bool) {
	return func(yield func(Entry) bool) {
		e := c.epoch(target)
		if e == nil {
			return
		}
		for _, entry := range e.byArrival() {
			if !yield(*entry) {
				return
			}
		}
	}
}

// Len is the number of ATXs of an epoch.
func (c *Cache) Len(target wire.EpochID) int {
	if e := c.epoch(target); e != nil {
		return int(e.n)
	}
	return 0
}

// Sum is what a set of ATXs amounts to.
type Sum struct {
	// Weight adds up those that were found. Like the network's it wraps.
	Weight uint64
	Found  int
}

// Weigh adds up the ATXs of a set that are in the epoch. An ID that occurs twice
// counts twice.
func (c *Cache) Weigh(target wire.EpochID, ids []wire.ATXID) (sum Sum) {
	if e := c.epoch(target); e != nil {
		e.weigh(ids, &sum)
	}
	return sum
}

// SetMalicious marks an identity for good, with the ATXs it has and those to come.
func (c *Cache) SetMalicious(id wire.NodeID) {
	c.malicious[id] = struct{}{}
	for _, e := range c.epochs {
		e.nodes(&id, func(entry *Entry) bool {
			entry.Malicious = true
			return true
		})
	}
}

// Malicious tells whether an identity is marked.
func (c *Cache) Malicious(id wire.NodeID) bool {
	_, ok := c.malicious[id]
	return ok
}

// Evict drops the target epochs before first, for good.
func (c *Cache) Evict(first wire.EpochID) {
	c.evicted = max(c.evicted, first)
	c.epochs = slices.DeleteFunc(c.epochs, func(e *epoch) bool { return e.target < first })
}
