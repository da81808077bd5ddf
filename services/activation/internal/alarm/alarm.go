package alarm

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// Clock tells the time.
type Clock interface{ Now() time.Time }

// Alarm wakes those who wait, while Run does.
type Alarm struct {
	clock Clock
	poll  time.Duration

	mu    sync.Mutex
	calls queue
	next  uint64
}

// New makes an alarm that looks at the clock every poll.
func New(clock Clock, poll time.Duration) *Alarm { return &Alarm{clock: clock, poll: poll} }

// Now is the clock's time.
func (a *Alarm) Now() time.Time { return a.clock.Now() }

// Run calls what is due until ctx ends.
func (a *Alarm) Run(ctx context.Context) error {
	tick := time.NewTicker(a.poll)
	defer tick.Stop()
	for {
		for _, f := range a.due() {
			f()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (a *Alarm) due() (calls []func()) {
	now := a.clock.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.calls) > 0 && !now.Before(a.calls[0].at) {
		calls = append(calls, heap.Pop(&a.calls).(*call).f)
	}
	return calls
}

// Sleep returns when the clock has reached at, or with ctx's error before.
func (a *Alarm) Sleep(ctx context.Context, at time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !a.clock.Now().Before(at) {
		return nil
	}
	reached := make(chan struct{})
	stop := a.at(at, func() { close(reached) })
	defer stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-reached:
		return nil
	}
}

// Until is a context that ends when the clock reaches at.
func (a *Alarm) Until(ctx context.Context, at time.Time) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	if !a.clock.Now().Before(at) {
		cancel(context.DeadlineExceeded)
	}
	stop := a.at(at, func() { cancel(context.DeadlineExceeded) })
	return ctx, func() { stop(); cancel(context.Canceled) }
}

// at has f called once, from Run, unless it is stopped before.
func (a *Alarm) at(at time.Time, f func()) (stop func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.next++
	c := &call{at: at, n: a.next, f: f}
	heap.Push(&a.calls, c)
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if c.index >= 0 {
			heap.Remove(&a.calls, c.index)
		}
	}
}

type call struct {
	at    time.Time
	n     uint64
	f     func()
	index int // -1 once it is out of the queue
}

type queue []*call

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	if !q[i].at.Equal(q[j].at) {
		return q[i].at.Before(q[j].at)
	}
	return q[i].n < q[j].n
}

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push implements heap.Interface.
func (q *queue) Push(x any) {
	c := x.(*call)
	c.index = len(*q)
	*q = append(*q, c)
}

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	last := len(*q) - 1
	c := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	c.index = -1
	return c
}
