//go:build !linux

package lease

import "time"

var started = time.Now()

// SystemClock reads the machine's clocks. Where there is no clock that counts
// suspended time, the wall clock has to.
func SystemClock() (time.Duration, time.Time) {
	now := time.Now()
	return now.Sub(started), now
}
