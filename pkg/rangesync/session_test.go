package rangesync

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// drawKeys draws hashes, which crowd in few places or spread. Fingerprints can
// only tell sets apart whose prefixes do not cancel out, as hashes do not.
func drawKeys(t *rapid.T, name string, most int) []Key {
	key := rapid.Custom(func(t *rapid.T) Key {
		k := Key(sha256.Sum256(rapid.SliceOfN(rapid.Byte(), 2, 2).Draw(t, "hashed")))
		if rapid.Bool().Draw(t, "crowded") {
			k[0], k[1] = 0x80, 0
		}
		return k
	})
	return rapid.SliceOfN(key, 0, most).Draw(t, name)
}

func newSet(keys []Key) *Keys {
	s := NewKeys(1000)
	s.Add(time.Time{}, keys)
	return s
}

func TestTwoSetsReconcile(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		common := drawKeys(rt, "common", 200)
		left := slices.Concat(common, drawKeys(rt, "left", 60))
		right := slices.Concat(common, drawKeys(rt, "right", 60))
		params := Params{
			MaxSendRange: rapid.IntRange(1, 20).Draw(rt, "max send range"),
			ItemChunk:    rapid.IntRange(1, 50).Draw(rt, "chunk"),
			SampleSize:   rapid.IntRange(0, 20).Draw(rt, "sample"),
			MaxDiff:      rapid.SampledFrom([]float64{-1, 0, 0.3, 1}).Draw(rt, "max diff"),
		}
		if rapid.Bool().Draw(rt, "recent") {
			params.RecentSpan = time.Second
		}
		a, b := newSet(left), newSet(right)
		now := time.Unix(1_700_000_000, 0)
		a.Add(now, drawKeys(rt, "new left", 10))
		b.Add(now, drawKeys(rt, "new right", 10))
		want := map[Key]struct{}{}
		for _, s := range []*Keys{a, b} {
			for k := range s.From(Key{}) {
				want[k] = struct{}{}
			}
		}
		initiator, responder := NewSession(params, a), NewSession(params, b)
		reconcile(t, initiator.Initiate(now), initiator, responder)
		if !initiator.Finished() || !responder.Finished() {
			rt.Fatal("a side is not finished")
		}
		union := slices.SortedFunc(maps.Keys(want), compare)
		if !slices.Equal(union, slices.Collect(a.From(Key{}))) || !slices.Equal(union, slices.Collect(b.From(Key{}))) {
			rt.Fatal("the sets differ from their union")
		}
	})
}

// sortedSet answers what Keys answers, the slow way.
type sortedSet []Key

func (s sortedSet) ring(x Key) []Key {
	at, _ := slices.BinarySearchFunc(s, x, compare)
	return slices.Concat(s[at:], s[:at])
}

func (s sortedSet) sum(x, y Key) (info Info) {
	for _, k := range s {
		in := compare(k, x) >= 0 && compare(k, y) < 0
		switch order := compare(x, y); {
		case order == 0:
			in = true
		case order > 0:
			in = compare(k, x) >= 0 || compare(k, y) < 0
		}
		if in {
			info.Count++
			info.Fingerprint.add(&k)
		}
	}
	return info
}

func TestKeysAgreeWithSortedSlice(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		keys := drawKeys(rt, "keys", 150)
		set := NewKeys(rapid.SampledFrom([]int{0, 100, 10_000}).Draw(rt, "expected"))
		set.Add(time.Time{}, keys)
		plain := sortedSet(slices.Clone(keys))
		slices.SortFunc(plain, compare)
		plain = slices.Compact(plain)
		require.Equal(rt, len(plain), set.Len())
		first, ok := set.First()
		require.Equal(rt, len(plain) > 0, ok)
		if ok {
			require.Equal(rt, plain[0], first)
		}
		ends := append(drawKeys(rt, "ends", 4), Key{}, Key{0: 255, 31: 1})
		if len(plain) > 0 {
			ends = append(ends, plain[len(plain)/2])
		}
		for _, x := range ends {
			require.True(rt, slices.Equal(plain.ring(x), slices.Collect(set.From(x))))
			for i, k := range plain.ring(x) {
				require.Equal(rt, k, set.At(x, i))
			}
			for _, y := range ends {
				require.Equal(rt, plain.sum(x, y), set.Range(x, y))
			}
		}
	})
}

func TestFinishedSessionRefusesMessages(t *testing.T) {
	s := NewSession(DefaultParams(), NewKeys(0))
	_, err := s.Receive(time.Time{}, Message{Type: Done})
	require.NoError(t, err)
	_, err = s.Receive(time.Time{}, Message{Type: EmptySet})
	require.ErrorIs(t, err, ErrFinished)
}

func TestHalfOpenRangeIsRefused(t *testing.T) {
	s := NewSession(DefaultParams(), newSet([]Key{{1}, {2}}))
	_, err := s.Receive(time.Time{}, Message{Type: EmptyRange, X: &Key{1}})
	require.ErrorIs(t, err, ErrUnexpected)
}

// Upstream compares the number of messages with the limit for bytes.
func TestBudgetCountsBytesAndMessagesApart(t *testing.T) {
	b := Budget{Bytes: 100, Messages: 3}
	require.NoError(t, b.Spend(40))
	require.NoError(t, b.Spend(40))
	require.NoError(t, b.Spend(20))
	require.ErrorIs(t, b.Spend(0), ErrBudget)
	b = Budget{Bytes: 100}
	for range 200 {
		require.NoError(t, b.Spend(0))
	}
	require.ErrorIs(t, b.Spend(101), ErrBudget)
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"00", "0102", "03412d422095", "0604011122", "08404000000000000000000000000004a50f", "0913"} {
		raw, _ := hex.DecodeString(seed)
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, n, err := Decode(raw)
		if err != nil {
			return
		}
		again, err := m.Append(nil)
		require.NoError(t, err)
		back, size, err := Decode(again)
		require.NoError(t, err)
		require.Equal(t, m, back)
		require.LessOrEqual(t, size, max(n, size))
	})
}

func FuzzSession(f *testing.F) {
	f.Add([]byte("\x02\x01\x02\x01"))
	f.Add([]byte("\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x14\x01"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s := NewSession(DefaultParams(), newSet([]Key{{1}, {2}, {3}}))
		for range 50 {
			m, n, err := Decode(raw)
			if err != nil {
				return
			}
			raw = raw[n:]
			out, err := s.Receive(time.Time{}, m)
			if err != nil {
				return
			}
			written(t, out)
		}
	})
}

func randomKeys(n int) []Key {
	keys := make([]Key, n)
	x := uint64(88172645463325252)
	for i := range keys {
		for j := range keys[i] {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
			keys[i][j] = byte(x)
		}
	}
	return keys
}

func BenchmarkReconcile(b *testing.B) {
	keys := randomKeys(100_000)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		left, right := NewKeys(len(keys)), NewKeys(len(keys))
		left.Add(time.Time{}, keys[100:])
		right.Add(time.Time{}, keys[:len(keys)-100])
		one, two := NewSession(DefaultParams(), left), NewSession(DefaultParams(), right)
		b.StartTimer()
		reconcile(b, one.Initiate(time.Time{}), one, two)
	}
}

func BenchmarkRange(b *testing.B) {
	keys := randomKeys(1_000_000)
	set := NewKeys(len(keys))
	set.Add(time.Time{}, keys)
	b.ReportAllocs()
	for b.Loop() {
		set.Range(keys[1], keys[2])
	}
}
