package smeshing

import (
	"context"
	"sync"
	"time"
)

// gather makes one call of the many that come while the last one runs. Whoever
// comes alone does not wait.
type gather[I, O any] struct {
	run func(ctx context.Context, items []I) ([]O, error)
	// most is the largest call.
	most int

	mu      sync.Mutex
	waiting []*call[I, O]
	busy    bool
}

type call[I, O any] struct {
	item I
	out  O
	err  error
	done chan struct{}
}

// gatherLimit ends a call that hangs. Calls do not end with the context of one
// caller, because others wait for them too.
const gatherLimit = time.Minute

// do waits for the item's result.
func (g *gather[I, O]) do(ctx context.Context, item I) (O, error) {
	c := &call[I, O]{item: item, done: make(chan struct{})}
	g.mu.Lock()
	g.waiting = append(g.waiting, c)
	if !g.busy {
		g.busy = true
		go g.work(context.WithoutCancel(ctx))
	}
	g.mu.Unlock()
	select {
	case <-ctx.Done():
		var none O
		return none, context.Cause(ctx)
	case <-c.done:
		return c.out, c.err
	}
}

func (g *gather[I, O]) work(ctx context.Context) {
	for {
		g.mu.Lock()
		calls := g.waiting[:min(len(g.waiting), g.most)]
		g.waiting = g.waiting[len(calls):]
		if g.busy = len(calls) > 0; !g.busy {
			g.waiting = nil
			g.mu.Unlock()
			return
		}
		g.mu.Unlock()
		g.one(ctx, calls)
	}
}

func (g *gather[I, O]) one(ctx context.Context, calls []*call[I, O]) {
	ctx, cancel := context.WithTimeout(ctx, gatherLimit)
	defer cancel()
	items := make([]I, len(calls))
	for i := range calls {
		items[i] = calls[i].item
	}
	out, err := g.run(ctx, items)
	for i, c := range calls {
		if c.err = err; err == nil {
			c.out = out[i]
		}
		close(c.done)
	}
}
