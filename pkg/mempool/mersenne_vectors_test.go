package mempool

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
)

// TestMersenneVectors is the generator and the shuffle as spec 06 §10.4 has them.
func TestMersenneVectors(t *testing.T) {
	type mersenneCase struct {
		Seed     vectors.Hex
		First    []vectors.Uint64 `json:"first_outputs"`
		N        int
		Shuffled []int `json:"shuffled_indices"`
	}
	vectors.Run(t, "mesh/mersenne_shuffle", func(t *testing.T, c mersenneCase) {
		twister := newTwister(c.Seed.Array32())
		for i, want := range c.First {
			require.Equal(t, uint64(want), twister.uint64(), "output %d", i)
		}
		items := make([]int, c.N)
		for i := range items {
			items[i] = i
		}
		shuffle(c.Seed.Array32(), items)
		require.Equal(t, c.Shuffled, items)
	})
}
