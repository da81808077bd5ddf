package atxcache

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/pkg/wire"
)

func TestSegmentIsOneCacheLine(t *testing.T) {
	require.Equal(t, uintptr(64), unsafe.Sizeof(segment{}))
}

func TestTagsAgreeWithBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Few values, neighbours among them, so that carries would show.
		held := rapid.SliceOfN(rapid.SampledFrom([]byte{1, 2, 3, 0x7f, 0x80, 0x81, 0xfe, 0xff}), 0, bucketSlots).Draw(t, "tags")
		var packed tags
		for slot, tag := range held {
			require.Equal(t, slot, packed.taken())
			require.False(t, packed.full())
			packed.set(slot, uint64(tag))
		}
		require.Equal(t, len(held) == bucketSlots, packed.full())
		for tag := uint64(1); tag < 256; tag++ {
			rest := packed.candidates(tag)
			for slot, is := range held {
				require.Equal(t, uint64(is), packed.at(slot))
				if uint64(is) != tag {
					continue
				}
				require.NotZero(t, rest)
				require.Equal(t, slot, first(rest))
				rest &= rest - 1
			}
			require.Zero(t, rest)
		}
	})
}

func TestSameAgreesWithEquality(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a wire.ATXID
		copy(a[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "id"))
		b := a
		require.True(t, same(&a, &b))
		b[rapid.IntRange(0, 31).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		require.False(t, same(&a, &b))
	})
}

// TestCrowdedPlace puts thousands of ATXs where one should be, with one tag.
func TestCrowdedPlace(t *testing.T) {
	const crowd = 3000
	cache, node := New(99), wire.NodeID{5}
	for i := range uint64(crowd) {
		entry := Entry{NodeID: node, Weight: i}
		entry.ID[0] = 0xff
		binary.BigEndian.PutUint64(entry.ID[24:], i)
		require.True(t, cache.Add(1, entry))
		require.False(t, cache.Add(1, entry))
	}
	next := uint64(0)
	for entry := range cache.All(1) {
		require.Equal(t, next, entry.Weight)
		got, ok := cache.Get(1, entry.ID)
		require.True(t, ok)
		require.Equal(t, entry, got)
		next++
	}
	require.Equal(t, uint64(crowd), next)
	seen := make(map[wire.ATXID]bool)
	for entry := range cache.OfNode(1, node) {
		require.False(t, seen[entry.ID])
		seen[entry.ID] = true
	}
	require.Len(t, seen, crowd)
	require.Nil(t, cache.Peek(1, &wire.ATXID{0: 0xff, 23: 1}))
}

// TestIdentitiesShareAPlace: each has its entries once, whatever slots they meet.
func TestIdentitiesShareAPlace(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	cache, held := New(rng.Uint64()), make(map[wire.NodeID]int)
	for i := range uint64(20_000) {
		var entry Entry
		entry.ID[3] = byte(rng.Uint32N(64)) // of 32 places
		binary.BigEndian.PutUint64(entry.ID[8:], i)
		binary.LittleEndian.PutUint16(entry.NodeID[:], uint16(rng.Uint32N(150)))
		require.True(t, cache.Add(1, entry))
		held[entry.NodeID]++
	}
	for node, count := range held {
		for entry := range cache.OfNode(1, node) {
			require.Equal(t, node, entry.NodeID)
			count--
		}
		require.Zero(t, count)
	}
}

// TestNoATXTakes200Bytes looks at all sizes of some account, those after growth
// included.
func TestNoATXTakes200Bytes(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	e := newEpoch(1, rng.Uint64())
	for n := range 1_200_000 {
		var entry Entry
		binary.LittleEndian.PutUint64(entry.ID[:], rng.Uint64())
		binary.LittleEndian.PutUint64(entry.ID[8:], rng.Uint64())
		binary.LittleEndian.PutUint64(entry.NodeID[:], rng.Uint64())
		e.add(&entry)
		if n >= 400_000 && n%10_000 == 0 {
			bytes := len(e.byNode) * 4
			for i := range e.segments {
				bytes += len(e.segments[i].tags)*16 + len(e.segments[i].buckets)*int(unsafe.Sizeof(bucket{}))
			}
			require.Less(t, bytes, n*200, "with %d", n)
		}
	}
}
