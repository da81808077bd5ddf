package post

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestLanesAgreeWithDeriveKey compares every kernel with the plain construction:
// any number of labels, any commitments and indices.
func TestLanesAgreeWithDeriveKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cost := Scrypt{N: 1 << rapid.IntRange(1, 12).Draw(t, "log N"), R: 1, P: 1}
		l, err := NewLabeler(cost)
		require.NoError(t, err)
		for range 2 { // scratch is used again
			places := make([]Place, rapid.IntRange(0, 17).Draw(t, "labels"))
			for i := range places {
				places[i].Commitment[3] = rapid.Byte().Draw(t, "commitment")
				places[i].Index = rapid.Uint64().Draw(t, "index")
			}
			got := make([]FullLabel, len(places))
			l.Fill(places, got)
			for i, at := range places {
				password := labelPassword(at)
				var want FullLabel
				require.NoError(t, DeriveKey(password[:], nil, cost, want[:]))
				require.Equal(t, want, got[i])
			}
		}
	})
}

func TestPlainKernelAgrees(t *testing.T) {
	const n = 64
	var states, plain [maxLanes]mixState
	for l := range states {
		for w := range states[l] {
			states[l][w] = uint32(l*1000003 + w*7919)
		}
	}
	plain = states
	mixPlain(plain[:], make([]uint32, maxLanes*laneWords(n)), n)
	mixLanes(&states, maxLanes, make([]uint32, maxLanes*laneWords(n)), n)
	require.Equal(t, plain, states)
}

func TestOtherCostsThanNetworks(t *testing.T) {
	cost := Scrypt{N: 16, R: 2, P: 2}
	l, err := NewLabeler(cost)
	require.NoError(t, err)
	at := Place{Index: 9}
	password := labelPassword(at)
	var want FullLabel
	require.NoError(t, DeriveKey(password[:], nil, cost, want[:]))
	require.Equal(t, want, l.Label(at))
	for _, bad := range []Scrypt{{}, {N: 1, R: 1, P: 1}, {N: 3, R: 1, P: 1}, {N: 2, R: 0, P: 1}, {N: 1 << 40, R: 1, P: 1}} {
		_, err := NewLabeler(bad)
		require.ErrorIs(t, err, ErrScryptParams)
	}
}

func benchmarkLabels(b *testing.B, n uint64, lanes int) {
	l := labelerN(b, n)
	places, out := make([]Place, lanes), make([]FullLabel, lanes)
	b.ReportAllocs()
	for b.Loop() {
		for i := range places {
			places[i].Index++
		}
		l.Fill(places, out)
	}
	b.ReportMetric(float64(lanes*b.N)/b.Elapsed().Seconds(), "labels/s")
}

func BenchmarkLabelMainnet(b *testing.B)       { benchmarkLabels(b, 8192, 1) }
func BenchmarkLabelMainnetLanes4(b *testing.B) { benchmarkLabels(b, 8192, 4) }
func BenchmarkLabelMainnetLanes8(b *testing.B) { benchmarkLabels(b, 8192, 8) }
func BenchmarkLabelFastnetLanes8(b *testing.B) { benchmarkLabels(b, 2, 8) }
