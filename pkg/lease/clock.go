package lease

import "time"

// Clock reads two clocks at once: time since boot, suspended time included,
// and the wall clock.
type Clock func() (boot time.Duration, wall time.Time)

// instant is one reading.
type instant struct {
	boot time.Duration
	wall time.Time
}

func (c Clock) read() instant {
	boot, wall := c()
	return instant{boot, wall.Round(0)}
}

// since is how much passed by the clock that says more.
func (i instant) since(earlier instant) time.Duration {
	return max(i.boot-earlier.boot, i.wall.Sub(earlier.wall))
}
