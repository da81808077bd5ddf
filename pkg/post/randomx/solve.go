package randomx

import (
	"context"
	"errors"
	"sync"

	"github.com/smeshery/smeshery/pkg/post"
)

// ErrNoSolution says that no pow of 56 bits solves the task, which no real
// difficulty makes likely.
var ErrNoSolution = errors.New("randomx: no solution")

// Solve finds a pow for the task on all machines of the Hasher. Which of the
// solutions it finds is not determined. It ends early with ctx.
func (h *Hasher) Solve(ctx context.Context, task post.PowTask) (uint64, error) {
	input := post.PowInput(0, uint32(task.Group), task.Challenge, task.NodeID)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		pow   uint64
		found bool
		err   error
	}
	workers := uint64(max(cap(h.vms), 1))
	results := make(chan result, workers)
	var wg sync.WaitGroup
	for w := range workers {
		from, to := post.MaxPow/workers*w, post.MaxPow/workers*(w+1)
		wg.Go(func() {
			pow, found, err := h.Search(ctx, input, task.Difficulty, from, to)
			results <- result{pow, found, err}
		})
	}
	defer wg.Wait()
	err := ErrNoSolution
	for range workers {
		r := <-results
		if r.found {
			cancel()
			return r.pow, nil
		}
		if r.err != nil {
			err = r.err
		}
	}
	return 0, err
}
