package randomx

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/post"
)

// light is one Hasher for the whole test binary: its cache takes half a second.
var light = sync.OnceValues(func() (*Hasher, error) {
	return New(Config{Key: []byte(post.PowKey), VMs: 2})
})

func lightHasher(t testing.TB) *Hasher {
	t.Helper()
	h, err := light()
	require.NoError(t, err)
	return h
}

type k2pow struct {
	Pow        vectors.Uint64
	Group      uint8 `json:"nonce_group"`
	Challenge8 vectors.Hex
	MinerID    vectors.Hex `json:"miner_id"`
	Difficulty vectors.Hex
	Input      vectors.Hex
	Hash       vectors.Hex
	Valid      bool
	Smallest   bool
}

func (c *k2pow) task() post.PowTask {
	return post.PowTask{
		Group: c.Group, Challenge: [8]byte(c.Challenge8),
		NodeID: c.MinerID.Array32(), Difficulty: c.Difficulty.Array32(),
	}
}

func TestVectorK2Pow(t *testing.T) {
	h := lightHasher(t)
	vectors.Run(t, "post/k2pow", func(t *testing.T, c k2pow) {
		task := c.task()
		input := post.PowInput(uint64(c.Pow), uint32(c.Group), task.Challenge, task.NodeID)
		require.Equal(t, []byte(c.Input), input[:])
		hash, err := h.Hash(input[:])
		require.NoError(t, err)
		require.Equal(t, c.Hash.Array32(), hash)
		valid, err := task.Check(h, uint64(c.Pow))
		require.NoError(t, err)
		require.Equal(t, c.Valid, valid)
		if c.Smallest {
			pow, found, err := h.Search(t.Context(), input, task.Difficulty, 0, 1<<20)
			require.NoError(t, err)
			require.True(t, found)
			require.Equal(t, uint64(c.Pow), pow)
		}
	})
}

func TestSolveFindsASolution(t *testing.T) {
	h := lightHasher(t)
	task := post.PowTask{Group: 3, Difficulty: [32]byte{0x20}}
	pow, err := h.Solve(t.Context(), task)
	require.NoError(t, err)
	valid, err := task.Check(h, pow)
	require.NoError(t, err)
	require.True(t, valid)
}

func TestSolveStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := lightHasher(t).Solve(ctx, post.PowTask{})
	require.ErrorIs(t, err, context.Canceled)
}

// TestInterpreterAgrees covers processors without the compiler's instructions.
func TestInterpreterAgrees(t *testing.T) {
	flags := Flags(0)
	slow, err := New(Config{Key: []byte(post.PowKey), Flags: &flags})
	require.NoError(t, err)
	defer slow.Close()
	require.Zero(t, slow.Flags())
	want, err := lightHasher(t).Hash([]byte("any input"))
	require.NoError(t, err)
	got, err := slow.Hash([]byte("any input"))
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestFallbacksEndWithTheInterpreter(t *testing.T) {
	all := fallbacks(FlagLargePages | FlagJIT | FlagHardAES)
	require.Equal(t, []Flags{
		FlagLargePages | FlagJIT | FlagHardAES, FlagJIT | FlagHardAES, FlagJIT | FlagHardAES | FlagSecure, FlagHardAES,
	}, all)
	require.Equal(t, []Flags{FlagHardAES}, fallbacks(FlagHardAES))
}

func TestClosedHasherRefuses(t *testing.T) {
	flags := Flags(0)
	h, err := New(Config{Key: []byte("key"), Flags: &flags})
	require.NoError(t, err)
	h.Close()
	h.Close()
	_, err = h.Hash(nil)
	require.ErrorIs(t, err, ErrClosed)
}

func TestMissingLibraryNamesThePackage(t *testing.T) {
	require.ErrorContains(t, ErrUnavailable, "librandomx-dev")
}

func BenchmarkHashLight(b *testing.B) {
	h := lightHasher(b)
	input := make([]byte, 48)
	b.ReportAllocs()
	for b.Loop() {
		input[0]++
		_, _ = h.Hash(input)
	}
}
