package bus

import "time"

// Garbled is e for a caller that sends any bytes.
func Garbled[Req, Rep any](e Endpoint[Req, Rep]) Endpoint[[]byte, Rep] {
	return Endpoint[[]byte, Rep]{subject: e.subject, owner: e.owner, req: raw[[]byte](), rep: e.rep}
}

// Waiting is the length of the queue of a subject.
func (c *Conn) Waiting(subject string) int { return c.metrics.queues()[subject].Length }

// Oldest is the age of what waits longest for a subject.
func (c *Conn) Oldest(subject string) time.Duration { return c.metrics.queues()[subject].Oldest }
