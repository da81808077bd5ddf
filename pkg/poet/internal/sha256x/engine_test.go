package sha256x

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func engines() map[string]Engine {
	return map[string]Engine{"portable": Portable(), "best": Best()}
}

func naiveChain(d Digest, n int) Digest {
	for range n {
		d = sha256.Sum256(d[:])
	}
	return d
}

func TestChainEqualsRepeatedSHA256(t *testing.T) {
	for name, engine := range engines() {
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			draw := rapid.SliceOfN(rapid.Byte(), Size, Size)
			first, second := Digest(draw.Draw(t, "first")), Digest(draw.Draw(t, "second"))
			n := rapid.IntRange(0, 500).Draw(t, "n")
			single, left, right := first, first, second
			engine.Chain(&single, n)
			engine.ChainPair(&left, &right, n)
			require.Equal(t, naiveChain(first, n), single)
			require.Equal(t, naiveChain(first, n), left)
			require.Equal(t, naiveChain(second, n), right)
		}))
	}
}

func TestSumPaddedEqualsSHA256AtEveryLength(t *testing.T) {
	for name, engine := range engines() {
		t.Run(name, func(t *testing.T) {
			for length := range 400 {
				msg := make([]byte, length, length+MaxPadding)
				for i := range msg {
					msg[i] = byte(i*7 + length)
				}
				padded := Pad(msg)
				require.Zero(t, len(padded)%BlockSize)
				require.Equal(t, &msg[:1:cap(msg)][0], &padded[0], "padding copied the message")
				var got Digest
				engine.SumPadded(&got, padded, length)
				require.Equal(t, sha256.Sum256(msg), got, length)
			}
		})
	}
}

func BenchmarkChain(b *testing.B) {
	for name, engine := range engines() {
		b.Run(name, func(b *testing.B) {
			var d Digest
			b.ReportAllocs()
			for b.Loop() {
				engine.Chain(&d, 400)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/400, "ns/hash")
		})
	}
}

func BenchmarkChainPair(b *testing.B) {
	var x, y Digest
	engine := Best()
	b.ReportAllocs()
	for b.Loop() {
		engine.ChainPair(&x, &y, 400)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/800, "ns/hash")
}

// BenchmarkChainRatio times crypto/sha256 and the engine by turns in one run and
// reports how many times faster the engine is.
func BenchmarkChainRatio(b *testing.B) {
	const rounds = 400
	engine := Best()
	var d, s Digest
	var library, own int64
	for b.Loop() {
		library += measure(func() {
			for range rounds {
				s = sha256.Sum256(s[:])
			}
		})
		own += measure(func() { engine.Chain(&d, rounds) })
	}
	require.Equal(b, s, d)
	b.ReportMetric(float64(library)/float64(b.N)/rounds, "library-ns/hash")
	b.ReportMetric(float64(own)/float64(b.N)/rounds, "own-ns/hash")
	b.ReportMetric(float64(library)/float64(own), "ratio")
}

func measure(run func()) int64 {
	start := time.Now()
	run()
	return time.Since(start).Nanoseconds()
}
