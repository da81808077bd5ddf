package smeshing

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGather(t *testing.T) {
	var sizes []int
	hold := make(chan struct{})
	g := gather[int, int]{most: 10, run: func(_ context.Context, items []int) ([]int, error) {
		<-hold
		sizes = append(sizes, len(items))
		out := make([]int, len(items))
		for i := range items {
			if items[i] < 0 {
				return nil, errors.New("negative")
			}
			out[i] = 2 * items[i]
		}
		return out, nil
	}}
	var group sync.WaitGroup
	for i := range 31 {
		group.Go(func() {
			got, err := g.do(t.Context(), i)
			if err != nil || got != 2*i {
				t.Errorf("%d: %d, %v", i, got, err)
			}
		})
	}
	require.Eventually(t, func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return len(g.waiting) >= 21
	}, 10e9, 1e6)
	close(hold)
	group.Wait()
	total := 0
	for _, n := range sizes {
		require.LessOrEqual(t, n, 10)
		total += n
	}
	require.Equal(t, 31, total)
	require.LessOrEqual(t, len(sizes), 5)
	_, err := g.do(t.Context(), -1)
	require.Error(t, err)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = g.do(ended, 1)
	require.ErrorIs(t, err, context.Canceled)
}
