package peer

import "time"

// Rate is what a protocol's server takes on (spec 08 §5.4).
type Rate struct {
	Queue    int // requests waiting or running
	Requests int // per interval, and the size of a burst
	Interval time.Duration
}

// ServerRate is the default of a protocol.
func ServerRate(protocol string) Rate {
	rate := Rate{Queue: 10_000, Requests: 100, Interval: time.Second}
	switch protocol {
	case "ax/1", "as/1":
		rate.Queue, rate.Requests = 10, 1
	case "ml/1":
		rate.Queue, rate.Requests = 100, 10
	case "ld/1", "mh/1", "hare4/full_exchange":
		rate.Queue = 1000
	case "hs/1":
		rate.Queue, rate.Requests = 2000, 200
	case "lp/2":
		rate.Requests = 1000
	}
	return rate
}

// Limiter admits requests of one protocol. It is not safe for concurrent use.
type Limiter struct {
	rate     Rate
	admitted int
	// free is when the bucket would be full; it lies ahead of now by the tokens
	// that were taken.
	free time.Time
}

// NewLimiter starts with a full bucket.
func NewLimiter(rate Rate) *Limiter { return &Limiter{rate: rate} }

// Admit takes a request in arrival order and tells how long it waits for its
// token; ok is false if the queue is full and the stream is to be dropped.
func (l *Limiter) Admit(now time.Time) (wait time.Duration, ok bool) {
	if l.admitted >= l.rate.Queue {
		return 0, false
	}
	l.admitted++
	each := l.rate.Interval / time.Duration(l.rate.Requests)
	if l.free.Before(now) {
		l.free = now
	}
	l.free = l.free.Add(each)
	return max(0, l.free.Sub(now)-l.rate.Interval), true
}

// Finish gives an admitted request's place back.
func (l *Limiter) Finish() { l.admitted-- }
