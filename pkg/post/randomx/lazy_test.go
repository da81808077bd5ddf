package randomx_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/post/randomx"
)

func TestLazyTakesMemoryWhileItIsNeeded(t *testing.T) {
	cfg := randomx.Config{Key: []byte(post.PowKey), VMs: 1}
	h, err := randomx.New(cfg)
	require.NoError(t, err)
	want, err := h.Hash([]byte("input"))
	require.NoError(t, err)
	h.Close()

	l := randomx.NewLazy(cfg, time.Millisecond)
	require.False(t, l.Open())
	for range 2 {
		got, err := l.Hash([]byte("input"))
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Eventually(t, func() bool { return !l.Open() }, 20*time.Second, time.Millisecond)
	}
	task := post.PowTask{Group: 1}
	task.Difficulty[0] = 0xff
	pow, err := l.Solve(t.Context(), task)
	require.NoError(t, err)
	ok, err := task.Check(l, pow)
	require.NoError(t, err)
	require.True(t, ok)
	l.Close()
	_, err = l.Hash(nil)
	require.ErrorIs(t, err, randomx.ErrClosed)
	require.False(t, l.Open())
}
