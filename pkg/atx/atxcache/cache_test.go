package atxcache

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/wire"
)

func TestEntryIsTwoCacheLines(t *testing.T) {
	require.Equal(t, uintptr(128), unsafe.Sizeof(Entry{}))
	require.Equal(t, uintptr(64), unsafe.Offsetof(Entry{}.NodeID))
}

func TestEntryOfCheckpointedRow(t *testing.T) {
	row := atx.Row{EffectiveUnits: 33, Ticks: 1000, BaseHeight: 5, VRFNonce: 77}
	require.Equal(t, Entry{Weight: 33000, BaseHeight: 5, Height: 1005, Nonce: 77}, EntryOf(&row))
	row.Weight = 9
	require.Equal(t, uint64(9), EntryOf(&row).Weight)
}

// slow is the same cache without cleverness.
type slow struct {
	entries   map[wire.EpochID][]Entry
	malicious map[wire.NodeID]bool
	evicted   wire.EpochID
}

func (s *slow) add(target wire.EpochID, e Entry) bool {
	if target < s.evicted || slices.ContainsFunc(s.entries[target], func(o Entry) bool { return o.ID == e.ID }) {
		return false
	}
	e.Malicious = s.malicious[e.NodeID]
	s.entries[target] = append(s.entries[target], e)
	return true
}

func TestAgreesWithSlowCache(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cache := New(rapid.Uint64().Draw(t, "seed"))
		model := &slow{entries: map[wire.EpochID][]Entry{}, malicious: map[wire.NodeID]bool{}}
		for range rapid.IntRange(0, 400).Draw(t, "steps") {
			target := wire.EpochID(rapid.Uint32Max(3).Draw(t, "target"))
			node := wire.NodeID{0: byte(rapid.Uint32Max(9).Draw(t, "node"))}
			switch rapid.IntRange(0, 50).Draw(t, "kind") {
			case 0:
				cache.SetMalicious(node)
				model.malicious[node] = true
				for _, list := range model.entries {
					for i := range list {
						list[i].Malicious = list[i].Malicious || list[i].NodeID == node
					}
				}
			case 1:
				cache.Evict(target)
				model.evicted = max(model.evicted, target)
				for e := range model.entries {
					if e < target {
						delete(model.entries, e)
					}
				}
			default:
				entry := Entry{NodeID: node, Weight: rapid.Uint64().Draw(t, "weight")}
				entry.ID = drawID(t)
				if cache.Add(target, entry) != model.add(target, entry) {
					t.Fatal("add")
				}
			}
		}
		compare(t, cache, model)
	})
}

// drawID draws scattered IDs, and ones that share their place and tag.
func drawID(t *rapid.T) (id wire.ATXID) {
	if rapid.Bool().Draw(t, "scattered") {
		binary.LittleEndian.PutUint16(id[:], rapid.Uint16().Draw(t, "id"))
		binary.LittleEndian.PutUint16(id[8:], rapid.Uint16().Draw(t, "tag"))
		return id
	}
	id[0], id[3] = rapid.SampledFrom([]byte{0, 7, 0xff}).Draw(t, "first"), rapid.ByteMax(3).Draw(t, "place")
	id[31] = rapid.Byte().Draw(t, "last")
	return id
}

func compare(t *rapid.T, cache *Cache, model *slow) {
	for target := range wire.EpochID(4) {
		want := model.entries[target]
		if !slices.Equal(want, slices.Collect(cache.All(target))) || cache.Len(target) != len(want) {
			t.Fatalf("entries of %d", target)
		}
		ids := []wire.ATXID{{30: 1}}
		var sum Sum
		for _, e := range want {
			got, ok := cache.Get(target, e.ID)
			if !ok || got != e {
				t.Fatalf("entry %v", e.ID)
			}
			ids, sum.Found, sum.Weight = append(ids, e.ID), sum.Found+1, sum.Weight+e.Weight
		}
		if cache.Weigh(target, ids) != sum {
			t.Fatal("weight")
		}
		compareSets(t, cache, target, want)
		for node := range byte(10) {
			id := wire.NodeID{node}
			var mine []Entry
			for _, e := range want {
				if e.NodeID == id {
					mine = append(mine, e)
				}
			}
			got := slices.Collect(cache.OfNode(target, id))
			if len(got) != len(mine) || cache.Malicious(id) != model.malicious[id] {
				t.Fatal("node")
			}
			for _, e := range mine {
				if !slices.Contains(got, e) {
					t.Fatal("node's entry")
				}
			}
		}
	}
}

// compareSets weighs a set, absent IDs and repeated ones among it, as it was
// drawn and sorted.
func compareSets(t *rapid.T, cache *Cache, target wire.EpochID, want []Entry) {
	var ids []wire.ATXID
	for range rapid.IntRange(0, 100).Draw(t, "set") {
		if id := drawID(t); len(want) == 0 || id[31]%2 == 0 {
			ids = append(ids, id)
		} else {
			ids = append(ids, want[int(id[31])%len(want)].ID)
		}
	}
	var sum Sum
	for _, id := range ids {
		at := slices.IndexFunc(want, func(e Entry) bool { return e.ID == id })
		entry := cache.Peek(target, &id)
		if at < 0 {
			if entry != nil {
				t.Fatalf("entry of %v, which is not there", id)
			}
			continue
		}
		if entry == nil || *entry != want[at] {
			t.Fatalf("entry of %v", id)
		}
		sum.Found, sum.Weight = sum.Found+1, sum.Weight+want[at].Weight
	}
	if cache.Weigh(target, ids) != sum {
		t.Fatal("weight as drawn")
	}
	slices.SortFunc(ids, wire.Compare[wire.ATXID])
	if cache.Weigh(target, ids) != sum {
		t.Fatal("weight sorted")
	}
}

const million = 1_000_000

func filled(n int) (*Cache, []wire.ATXID) {
	rng := rand.New(rand.NewPCG(1, 2))
	cache, ids := New(rng.Uint64()), make([]wire.ATXID, n)
	for i := range ids {
		var e Entry
		for o := 0; o < 32; o += 8 {
			binary.LittleEndian.PutUint64(e.ID[o:], rng.Uint64())
			binary.LittleEndian.PutUint64(e.NodeID[o:], rng.Uint64())
		}
		e.Weight, ids[i] = uint64(i), e.ID
		cache.Add(7, e)
	}
	return cache, ids
}

func TestMillionFitsInto200MB(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	cache, ids := filled(million)
	ids = ids[:1:1]
	used := heap() - before - million*32
	require.Less(t, used, uint64(200_000_000))
	_, ok := cache.Get(7, ids[0])
	require.True(t, ok)
	t.Logf("%d MB", used/1_000_000)
}

func BenchmarkGet(b *testing.B) {
	cache, ids := filled(million)
	rand.New(rand.NewPCG(3, 4)).Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, ok := cache.Get(7, ids[i]); !ok {
			b.Fatal("missing")
		}
		if i++; i == len(ids) {
			i = 0
		}
	}
}

func BenchmarkPeek(b *testing.B) {
	cache, ids := filled(million)
	rand.New(rand.NewPCG(3, 4)).Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if entry := cache.Peek(7, &ids[i]); entry.Weight >= million {
			b.Fatal("missing")
		}
		if i++; i == len(ids) {
			i = 0
		}
	}
}

func BenchmarkWeighMillion(b *testing.B) {
	cache, ids := filled(million)
	slices.SortFunc(ids, wire.Compare[wire.ATXID])
	b.ReportAllocs()
	for b.Loop() {
		if sum := cache.Weigh(7, ids); sum.Found != million {
			b.Fatal("missing")
		}
	}
}

func BenchmarkWeighMillionUnsorted(b *testing.B) {
	cache, ids := filled(million)
	rand.New(rand.NewPCG(3, 4)).Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	b.ReportAllocs()
	for b.Loop() {
		if sum := cache.Weigh(7, ids); sum.Found != million {
			b.Fatal("missing")
		}
	}
}

func BenchmarkAdd(b *testing.B) {
	b.ReportAllocs()
	cache := New(1)
	var e Entry
	n := uint64(0)
	for b.Loop() {
		n++
		binary.LittleEndian.PutUint64(e.ID[:], n*0x9e3779b97f4a7c15)
		binary.LittleEndian.PutUint64(e.NodeID[:], n*0xc2b2ae3d27d4eb4f)
		cache.Add(wire.EpochID(n/million), e)
	}
}
