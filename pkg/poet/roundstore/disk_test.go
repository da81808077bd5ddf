package roundstore

import (
	"context"
	"fmt"
	"math/bits"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/wire"
)

const (
	checksum      = 32
	statementSize = 32
	gigabyte      = 1_000_000_000
)

// compactSize is how many bytes a compact integer takes (spec 01 §1).
func compactSize(n uint64) int64 {
	switch {
	case n < 1<<6:
		return 1
	case n < 1<<14:
		return 2
	case n < 1<<30:
		return 4
	}
	return 1 + int64(bits.Len64(n)+7)/8
}

// diskOfWork is what a round takes on disk while it works, by its leaves alone:
// the kept layer, and a checkpoint with a parked node for each bit that is set.
func diskOfWork(leaves uint64, kept uint8) int64 {
	parked := bits.OnesCount64(leaves)
	layer := nodeSize * int64(leaves>>kept)
	checkpoint := compactSize(statementSize) + statementSize + 1 + compactSize(leaves) +
		compactSize(uint64(parked)) + nodeSize*int64(parked)
	return layer + checkpoint + checksum
}

// diskOfProof is what a proof takes beside it.
func diskOfProof(p *wire.PoetProof) int64 {
	size := compactSize(uint64(len(p.Root))) + int64(len(p.Root)) + compactSize(p.LeafCount) + checksum
	for _, list := range [][][]byte{p.ProvenLeaves, p.ProofNodes} {
		size += compactSize(uint64(len(list)))
		for _, node := range list {
			size += compactSize(uint64(len(node))) + int64(len(node))
		}
	}
	return size
}

// mostProof is the largest proof that nodes take: 36 nodes a leaf (spec 03 §7).
const mostProof = (1 + 36) * poet.SecurityParam * (1 + 32)

// onDisk is what a directory holds in bytes.
func onDisk(t testing.TB, path string) (size int64) {
	t.Helper()
	entries, err := os.ReadDir(path)
	require.NoError(t, err)
	for _, e := range entries {
		info, err := e.Info()
		require.NoError(t, err)
		size += info.Size()
	}
	return size
}

func TestRoundsTakeWhatTheFormulaSays(t *testing.T) {
	for _, c := range []struct {
		kept          uint8
		leaves, every uint64
	}{
		{0, 151, 10}, {1, 1000, 64}, {4, 1023, 100}, {4, 1024, 100}, {7, 5000, 512}, {7, 16384, 4096},
		{poet.DefaultKeptLayer, 1 << 12, 1 << 10}, {poet.DefaultKeptLayer, 5<<12 + 4095, 3000},
	} {
		t.Run(fmt.Sprintf("%d leaves, layer %d", c.leaves, c.kept), func(t *testing.T) {
			path := t.TempDir()
			dir, err := Dir(path)
			require.NoError(t, err)
			r, err := Open(dir, Config{
				Statement: make([]byte, statementSize), KeptLayer: c.kept, CheckpointEvery: c.every, Batch: 1,
			})
			require.NoError(t, err)
			seen := uint64(0)
			err = r.Work(context.Background(), func() bool {
				if r.Saved() > seen { // at every checkpoint on the way
					seen = r.Saved()
					require.Equal(t, diskOfWork(seen, c.kept), onDisk(t, path), "%d leaves", seen)
				}
				return r.Leaves() >= c.leaves
			})
			require.NoError(t, err)
			require.Positive(t, seen)
			require.Equal(t, c.leaves, r.Leaves())
			require.Equal(t, diskOfWork(c.leaves, c.kept), onDisk(t, path))
			proof, err := r.Prove(context.Background(), 2)
			require.NoError(t, err)
			require.NoError(t, r.Close())
			require.Equal(t, diskOfWork(c.leaves, c.kept)+diskOfProof(&proof), onDisk(t, path))
			require.LessOrEqual(t, diskOfProof(&proof), int64(mostProof))
		})
	}
}

// A mainnet round lasts two weeks, less the cycle gap. Its leaves follow from the
// time of a hash (spec 03 §20.1); the fastest machines are said to reach 80,000 a
// second.
func TestAMainnetRoundTakesLessThanTwoGigabytes(t *testing.T) {
	const hashesOfALeaf = 411
	fortnight := 14 * 24 * time.Hour
	rounds := map[string]uint64{"80,000 leaves a second": 80_000 * uint64(fortnight/time.Second)}
	for name, hash := range map[string]float64{"36.5 ns a hash": 36.5, "52 ns a hash": 52} {
		rounds[name] = uint64(float64(fortnight.Nanoseconds()) / (hash * hashesOfALeaf))
	}
	for name, leaves := range rounds {
		require.Greater(t, leaves, uint64(50_000_000_000), name)
		// While a checkpoint or the proof is replaced there are two of it.
		work := diskOfWork(leaves, poet.DefaultKeptLayer)
		most := work + diskOfWork(leaves, 63) + 2*mostProof
		t.Logf("%s: %d leaves, %.2f GB", name, leaves, float64(most)/gigabyte)
		require.Less(t, most, int64(2*gigabyte), name)
		require.Greater(t, most, int64(gigabyte)/4, "less than the nodes that the proof needs")
	}
}
