package clock

import (
	"context"
	"time"
)

// recheck bounds how long a timer is trusted without a look at the wall clock.
const recheck = time.Second

// Timer fires once after d, unless stop is called before.
type Timer func(d time.Duration) (fired <-chan time.Time, stop func())

// Clock tells the time and waits. Both fields are needed.
type Clock struct {
	Now   func() time.Time
	Timer Timer
}

// System is the machine's timer.
func System(d time.Duration) (fired <-chan time.Time, stop func()) {
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}

// Until returns at a moment with nil, earlier with nil if somebody pokes, or with
// the error of ctx. poked is nil where nobody does.
func (c Clock) Until(ctx context.Context, at time.Time, poked <-chan struct{}) error {
	for {
		left := at.Sub(c.Now())
		if left <= 0 {
			return ctx.Err()
		}
		fired, stop := c.Timer(min(left, recheck))
		if !c.Now().Before(at) {
			// A clock that was moved meanwhile does not fire this timer.
			stop()
			continue
		}
		select {
		case <-ctx.Done():
			stop()
			return ctx.Err()
		case <-poked:
			stop()
			return nil
		case <-fired:
		}
	}
}
