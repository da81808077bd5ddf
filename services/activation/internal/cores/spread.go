package cores

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// Spread runs f over [0, n) in pieces, on as many goroutines as there are cores,
// and returns when all have ended. It begins no piece after ctx has ended, and
// answers with ctx's error then.
func Spread(ctx context.Context, n, piece int, f func(from, to int)) error {
	pieces := (n + piece - 1) / piece
	if pieces <= 1 {
		if n > 0 && ctx.Err() == nil {
			f(0, n)
		}
		return ctx.Err()
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(pieces, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for ctx.Err() == nil {
				from := int(next.Add(1)-1) * piece
				if from >= n {
					return
				}
				f(from, min(from+piece, n))
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}
