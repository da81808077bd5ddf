package live

import (
	"context"
	"fmt"
	"sync"
)

// Buffers of the kinds of subscribers, in items (spec 09 §7.1).
const (
	BufferV1    = 65_536
	BufferV2    = 1_024
	BufferUsers = 1_000
)

// Overflow says that the reader of a subscription was too slow.
type Overflow struct{ Kind Kind }

func (e *Overflow) Error() string { return fmt.Sprintf("buffer of kind %d overflowed", e.Kind) }

// Subscription is what a stream has not delivered yet. One goroutine reads it.
type Subscription struct {
	hub   *Hub
	limit [kinds]int // 0: not subscribed
	match func(Event) bool
	wake  chan struct{}

	mu    sync.Mutex
	queue []Event
	head  int
	held  [kinds]int
	full  *Overflow
}

// Close ends the subscription. It may be called more than once.
func (s *Subscription) Close() { s.hub.remove(s) }

// push takes an event or overflows; a batch that is larger than the buffer is
// taken by an empty one.
func (s *Subscription) push(e Event) {
	if s.match != nil && !s.match(e) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full != nil {
		return
	}
	k, n := e.Kind(), e.Items()
	if s.held[k] > 0 && s.held[k]+n > s.limit[k] {
		s.full = &Overflow{k}
		s.queue, s.head = nil, 0
	} else {
		s.held[k] += n
		s.queue = append(s.queue, e)
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Poll takes the next event if there is one.
func (s *Subscription) Poll() (Event, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full != nil {
		return nil, false, s.full
	}
	if s.head == len(s.queue) {
		return nil, false, nil
	}
	e := s.queue[s.head]
	s.queue[s.head] = nil
	s.held[e.Kind()] -= e.Items()
	s.head++
	switch {
	case s.head == len(s.queue):
		s.queue, s.head = s.queue[:0], 0
	case s.head >= 1024 && s.head*2 >= len(s.queue):
		n := copy(s.queue, s.queue[s.head:])
		clear(s.queue[n:])
		s.queue, s.head = s.queue[:n], 0
	}
	return e, true, nil
}

// Next waits for an event. The error is an Overflow, or ctx's.
func (s *Subscription) Next(ctx context.Context) (Event, error) {
	for {
		if e, ok, err := s.Poll(); ok || err != nil {
			return e, err
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
