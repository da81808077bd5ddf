package bus

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/smeshery/smeshery/pkg/actor"
)

// work runs n workers over a mailbox until it is closed and empty. Once ctx
// ended, what is left is dropped: it was not acknowledged.
func work[T any](ctx context.Context, n int, box *actor.Mailbox[T], do func(T)) {
	var workers sync.WaitGroup
	for range n {
		workers.Go(func() {
			for {
				v, err := box.Take(context.Background())
				if err != nil {
					return
				}
				if ctx.Err() == nil {
					do(v)
				}
			}
		})
	}
	workers.Wait()
}

// guarded turns a panic into an error with its stack.
func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}
