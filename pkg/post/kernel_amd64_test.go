package post

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// kernels are those that this processor can run.
func kernels() []instructions {
	var out []instructions
	for i := plainGo; i <= available(); i++ {
		out = append(out, i)
	}
	return out
}

// TestEveryKernelAgrees also covers the kernels that a better one hides.
func TestEveryKernelAgrees(t *testing.T) {
	for _, n := range []uint64{2, 8, 1024, 4096} {
		for _, i := range kernels() {
			for lanes := 1; lanes <= maxLanes; lanes++ {
				var got, want [maxLanes]mixState
				for l := range got {
					for w := range got[l] {
						got[l][w] = uint32(l*1000003+w*7919) * 2654435761
					}
				}
				want = got
				scratch := make([]uint32, maxLanes*laneWords(n))
				mixPlain(want[:lanes], scratch, n)
				i.mix(&got, lanes, scratch, n)
				require.Equal(t, want[:lanes], got[:lanes], "instructions %d, N %d, lanes %d", i, n, lanes)
			}
		}
	}
}

func benchmarkKernel(b *testing.B, i instructions, lanes int) {
	var states [maxLanes]mixState
	scratch := make([]uint32, maxLanes*laneWords(8192))
	b.ReportAllocs()
	for b.Loop() {
		i.mix(&states, lanes, scratch, 8192)
	}
	b.ReportMetric(float64(lanes*b.N)/b.Elapsed().Seconds(), "labels/s")
}

func BenchmarkKernelPlain(b *testing.B) { benchmarkKernel(b, plainGo, 1) }
func BenchmarkKernelAVX2(b *testing.B)  { benchmarkKernel(b, avx2, 8) }
