package cpu

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/pkg/post"
)

// TestEngineAgreesWithOneLabeler compares any split over workers with the plain
// order of one.
func TestEngineAgreesWithOneLabeler(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var limit [32]byte
		limit[0] = rapid.Byte().Draw(t, "difficulty")
		job := post.LabelJob{
			N: 1 << rapid.IntRange(1, 6).Draw(t, "log N"), Start: rapid.Uint64().Draw(t, "start"), Difficulty: &limit,
		}
		count := rapid.IntRange(0, 300).Draw(t, "count")
		got := make([]byte, count*post.LabelSize)
		search, err := New(rapid.IntRange(1, 5).Draw(t, "workers")).Labels(job, got)
		require.NoError(t, err)

		labeler, err := post.NewLabeler(post.Scrypt{N: job.N, R: 1, P: 1})
		require.NoError(t, err)
		want := make([]byte, len(got))
		wantSearch := post.NonceSearch{Limit: limit}
		labeler.Range(job.Commitment, job.Start, want, &wantSearch)
		require.Equal(t, want, got)
		require.Equal(t, wantSearch, search)
	})
}

func TestEngineRefusesBadCost(t *testing.T) {
	_, err := New(1).Labels(post.LabelJob{N: 3}, make([]byte, 16))
	require.ErrorIs(t, err, post.ErrScryptParams)
}

func benchmarkInit(b *testing.B, n uint64, labels int) {
	e := New(1)
	out := make([]byte, labels*post.LabelSize)
	var limit [32]byte
	b.SetBytes(int64(len(out)))
	b.ReportAllocs()
	for b.Loop() {
		_, _ = e.Labels(post.LabelJob{N: n, Difficulty: &limit}, out)
	}
	b.ReportMetric(float64(labels*b.N)/b.Elapsed().Seconds(), "labels/s")
}

func BenchmarkInitMainnet(b *testing.B) { benchmarkInit(b, 8192, 256) }
func BenchmarkInitFastnet(b *testing.B) { benchmarkInit(b, 2, 4096) }
