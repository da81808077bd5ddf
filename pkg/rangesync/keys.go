package rangesync

import (
	"bytes"
	"encoding/binary"
	"iter"
	"math/bits"
	"slices"
	"time"
)

// Info sums up the keys of a range.
type Info struct {
	Count       int
	Fingerprint Fingerprint
}

// Set is what a session reconciles. Ranges [x, y) run in byte order of the keys;
// x > y wraps around the end, and x = y is the whole set from x on (spec 08 §10.3).
type Set interface {
	Len() int
	// First is the smallest key.
	First() (Key, bool)
	// Range sums up the keys of a range.
	Range(x, y Key) Info
	// From yields all keys once, in ring order starting at the first key not
	// below x.
	From(x Key) iter.Seq[Key]
	// At is the i-th key of From, counted from 0; i is below Len.
	At(x Key, i int) Key
	// Add takes keys in; known ones are no error.
	Add(now time.Time, keys []Key)
	// Since yields the keys that were added after the instant.
	Since(instant time.Time) iter.Seq[Key]
}

// Keys is a Set in memory. Keys are hashes: they fill its buckets evenly, and
// sums over buckets make every range cheap. It is not safe for concurrent use.
type Keys struct {
	shift   uint
	buckets [][]Key
	sums    []Info // Fenwick tree over the buckets
	count   int
	added   []addition
}

type addition struct {
	at  time.Time
	key Key
}

// bucketSize is how many keys a bucket is meant to hold.
const bucketSize = 64

// NewKeys makes a set that expects about so many keys.
func NewKeys(expected int) *Keys {
	width := uint(min(bits.Len(uint(max(expected, 0)/bucketSize)), 20))
	return &Keys{
		shift:   32 - width,
		buckets: make([][]Key, 1<<width),
		sums:    make([]Info, 1<<width+1),
	}
}

func (s *Keys) bucket(k *Key) int {
	return int(uint64(binary.BigEndian.Uint32(k[:])) >> s.shift)
}

func compare(a, b Key) int { return bytes.Compare(a[:], b[:]) }

// Len is the number of keys.
func (s *Keys) Len() int { return s.count }

// First is the smallest key.
func (s *Keys) First() (k Key, ok bool) {
	if s.count == 0 {
		return k, false
	}
	return s.rank(0), true
}

// Add takes keys in.
func (s *Keys) Add(now time.Time, keys []Key) {
	for i := range keys {
		b := s.bucket(&keys[i])
		at, known := slices.BinarySearchFunc(s.buckets[b], keys[i], compare)
		if known {
			continue
		}
		s.buckets[b] = slices.Insert(s.buckets[b], at, keys[i])
		s.count++
		for j := b + 1; j < len(s.sums); j += j & -j {
			s.sums[j].Count++
			s.sums[j].Fingerprint.add(&keys[i])
		}
		s.added = append(s.added, addition{now, keys[i]})
	}
}

// below sums up the keys smaller than k.
func (s *Keys) below(k *Key) (info Info) {
	b := s.bucket(k)
	for j := b; j > 0; j -= j & -j {
		info.Count += s.sums[j].Count
		info.Fingerprint.merge(&s.sums[j].Fingerprint)
	}
	for i := range s.buckets[b] {
		if compare(s.buckets[b][i], *k) >= 0 {
			break
		}
		info.Count++
		info.Fingerprint.add(&s.buckets[b][i])
	}
	return info
}

func (s *Keys) all() (info Info) {
	for j := len(s.sums) - 1; j > 0; j -= j & -j {
		info.Count += s.sums[j].Count
		info.Fingerprint.merge(&s.sums[j].Fingerprint)
	}
	return info
}

// Range sums up [x, y).
func (s *Keys) Range(x, y Key) Info {
	order := compare(x, y)
	if order == 0 {
		return s.all()
	}
	low, high := s.below(&x), s.below(&y)
	sum := Info{high.Count - low.Count, high.Fingerprint}
	sum.Fingerprint.merge(&low.Fingerprint)
	if order > 0 {
		whole := s.all()
		sum.Count += whole.Count
		sum.Fingerprint.merge(&whole.Fingerprint)
	}
	return sum
}

// rank is the i-th smallest key.
func (s *Keys) rank(i int) Key {
	b := 0
	for step := len(s.buckets); step > 0; step /= 2 {
		if next := b + step; next < len(s.sums) && s.sums[next].Count <= i {
			b, i = next, i-s.sums[next].Count
		}
	}
	return s.buckets[b][i]
}

// At is the i-th key from x on.
func (s *Keys) At(x Key, i int) Key { return s.rank((s.below(&x).Count + i) % s.count) }

// From yields all keys in ring order.
func (s *Keys) From(x Key) iter.Seq[Key] {
	return func(yield func(Key) bool) {
		first := s.bucket(&x)
		start, _ := slices.BinarySearchFunc(s.buckets[first], x, compare)
		for i := range len(s.buckets) + 1 {
			b := (first + i) % len(s.buckets)
			keys := s.buckets[b]
			if i == 0 {
				keys = keys[start:]
			} else if i == len(s.buckets) {
				keys = keys[:start]
			}
			for _, k := range keys {
				if !yield(k) {
					return
				}
			}
		}
	}
}

// Since yields what was added after the instant, in order of arrival.
func (s *Keys) Since(instant time.Time) iter.Seq[Key] {
	return func(yield func(Key) bool) {
		for _, a := range s.added {
			if a.at.After(instant) && !yield(a.key) {
				return
			}
		}
	}
}
