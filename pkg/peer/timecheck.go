package peer

import (
	"slices"
	"time"
)

// TimeParams are the numbers of the time check (spec 08 §11.2).
type TimeParams struct {
	Interval        time.Duration // after a round that counted
	RetryInterval   time.Duration // after one that did not
	RoundTimeout    time.Duration
	MaxOffset       time.Duration
	MaxOffsetErrors int // in a row, then the node stops
	Required        int // responses that make a round count
}

// DefaultTimeParams are upstream's.
func DefaultTimeParams() TimeParams {
	return TimeParams{30 * time.Minute, 5 * time.Second, 5 * time.Second, 10 * time.Second, 10, 3}
}

// TimeRound gathers the responses of one round. Times are nanoseconds since 1970.
type TimeRound struct {
	ID      uint64
	started int64
	offsets []int64
}

// NewTimeRound starts a round at the instant before the requests are sent.
func NewTimeRound(id uint64, started time.Time) *TimeRound {
	return &TimeRound{ID: id, started: started.UnixNano()}
}

// Add takes a peer's response; one of another round is left out.
func (r *TimeRound) Add(id, timestamp uint64, received time.Time) {
	if id != r.ID {
		return
	}
	trip := received.UnixNano() - r.started
	r.offsets = append(r.offsets, int64(timestamp)-r.started-trip/2)
}

// Ready tells whether enough peers have answered.
func (r *TimeRound) Ready(required int) bool { return len(r.offsets) >= required }

// Offset is the median of the peers' offsets, how far they are ahead; 0 without
// any.
func (r *TimeRound) Offset() time.Duration {
	sorted := slices.Sorted(slices.Values(r.offsets))
	n := len(sorted)
	switch {
	case n == 0:
		return 0
	case n%2 == 1:
		return time.Duration(sorted[n/2])
	}
	return time.Duration((sorted[n/2-1] + sorted[n/2]) / 2)
}

// TimeCheck follows the rounds.
type TimeCheck struct {
	Params   TimeParams
	failures int
}

// Judge takes the result of a round and tells when the next one is due. Stop is
// set when the local clock has been wrong for too many rounds in a row.
func (c *TimeCheck) Judge(r *TimeRound) (next time.Duration, stop bool) {
	if !r.Ready(c.Params.Required) {
		return c.Params.RetryInterval, false
	}
	// A peer can name a time so far off that its distance has no positive form.
	if offset := r.Offset(); offset > c.Params.MaxOffset || offset < -c.Params.MaxOffset {
		c.failures++
	} else {
		c.failures = 0
	}
	return c.Params.Interval, c.failures >= c.Params.MaxOffsetErrors
}
