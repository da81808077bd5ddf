package gossip

import (
	"sync"
	"time"
)

// seen remembers messages for a while, as many as fit. The oldest make room.
type seen struct {
	keep  time.Duration
	limit int

	mu    sync.Mutex
	until map[id]time.Time
	queue []id // in the order in which they were added
}

func newSeen(keep time.Duration, limit int) *seen {
	return &seen{keep: keep, limit: limit, until: make(map[id]time.Time)}
}

func (s *seen) has(m id, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	until, ok := s.until[m]
	return ok && now.Before(until)
}

func (s *seen) add(m id, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.until[m]; !ok {
		s.queue = append(s.queue, m)
	}
	s.until[m] = now.Add(s.keep)
	for len(s.queue) > 0 && (len(s.queue) > s.limit || !now.Before(s.until[s.queue[0]])) {
		delete(s.until, s.queue[0])
		s.queue = s.queue[1:]
	}
}

func (s *seen) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue)
}
