package post

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/pkg/wire"
)

func randomBytes(seed uint64, n int) []byte {
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16)})
	out := make([]byte, n)
	_, _ = r.Read(out)
	return out
}

// TestScanAgreesWithPlain compares the vector scan with the plain one in hits and
// their order.
func TestScanAgreesWithPlain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		groups := rapid.IntRange(1, 5).Draw(t, "groups")
		pows := make([]uint64, groups)
		for i := range pows {
			pows[i] = rapid.Uint64().Draw(t, "pow")
		}
		first := NoncesPerGroup * rapid.Uint32Range(0, 250).Draw(t, "first group")
		limit := Difficulty(rapid.Uint64().Draw(t, "difficulty"))
		if rapid.Bool().Draw(t, "msb 0") {
			limit &= lsbMask
		}
		data := randomBytes(rapid.Uint64Range(0, 1<<20).Draw(t, "seed"), rapid.IntRange(0, 4000).Draw(t, "bytes"))
		s, err := NewScanner(wire.Hash32{9}, first, pows, limit)
		require.NoError(t, err)
		base := rapid.Uint64().Draw(t, "base")
		plain := s.Clone()
		var lazyKeys [][16]byte
		for n := first; n < first+uint32(groups)*NoncesPerGroup; n++ {
			lazyKeys = append(lazyKeys, LazyKey(wire.Hash32{9}, n, pows[(n-first)/NoncesPerGroup]))
		}
		plain.useBlocks(lazyKeys)
		require.Equal(t, plain.scanPlain(data, base, nil), s.Clone().Scan(data, base, nil))
	})
}

func TestScannerBounds(t *testing.T) {
	for _, c := range []struct {
		first  uint32
		groups int
	}{{1, 1}, {0, 0}, {0, 257}, {4096, 1}, {4080, 2}} {
		_, err := NewScanner(wire.Hash32{}, c.first, make([]uint64, c.groups), 1)
		require.ErrorIs(t, err, ErrNonceRange)
	}
	s, err := NewScanner(wire.Hash32{}, 4080, make([]uint64, 1), 1)
	require.NoError(t, err)
	start, end := s.Nonces()
	require.Equal(t, [2]uint32{4080, 4096}, [2]uint32{start, end})
}

type brokenReader struct{}

func (brokenReader) ReadAt([]byte, int64) (int, error) { return 0, errors.New("disk is gone") }

func TestScanReaderReportsReads(t *testing.T) {
	s, err := NewScanner(wire.Hash32{}, 0, make([]uint64, 1), 0)
	require.NoError(t, err)
	_, _, _, err = ScanReader(brokenReader{}, 128, 0, s, NewTally(s, 1), make([]byte, 128))
	require.ErrorContains(t, err, "disk is gone")
	_, _, _, err = ScanReader(bytes.NewReader(make([]byte, 100)), 128, 0, s, NewTally(s, 1), make([]byte, 128))
	require.Error(t, err)
}

func benchmarkScan(b *testing.B, nonces int) {
	data := randomBytes(1, ScanBatch)
	s, err := NewScanner(wire.Hash32{}, 0, make([]uint64, nonces/NoncesPerGroup), 27917287424) // 4 mainnet units
	require.NoError(b, err)
	var hits []Hit
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		hits = s.Scan(data, 0, hits[:0])
	}
}

func BenchmarkScan16(b *testing.B)  { benchmarkScan(b, 16) }
func BenchmarkScan64(b *testing.B)  { benchmarkScan(b, 64) }
func BenchmarkScan288(b *testing.B) { benchmarkScan(b, 288) }
