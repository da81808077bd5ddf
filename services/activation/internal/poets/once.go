package poets

import (
	"context"
	"sync"
	"time"
)

// shared is a value that many ask for and one gets. Errors are not kept.
type shared[T any] struct {
	mu      sync.Mutex
	value   T
	until   time.Time
	known   bool
	running *attempt[T]
}

// attempt is a request under way.
type attempt[T any] struct {
	done  chan struct{}
	value T
	err   error
}

// terms are how long a value is kept, and what ends an attempt.
type terms struct {
	now func() time.Time
	// ttl 0 keeps nothing, less than 0 keeps for ever.
	ttl, limit time.Duration
	stop       <-chan struct{}
}

// get returns the value, or waits for the attempt to get it. The attempt does
// not end with ctx, because others wait for it too.
func (s *shared[T]) get(ctx context.Context, t terms, fetch func(context.Context) (T, error)) (T, error) {
	s.mu.Lock()
	if s.known && (t.ttl < 0 || t.now().Before(s.until)) {
		defer s.mu.Unlock()
		return s.value, nil
	}
	a := s.running
	if a == nil {
		a = &attempt[T]{done: make(chan struct{})}
		s.running = a
		go s.run(context.WithoutCancel(ctx), a, t, fetch)
	}
	s.mu.Unlock()
	select {
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	case <-a.done:
		return a.value, a.err
	}
}

func (s *shared[T]) run(ctx context.Context, a *attempt[T], t terms, fetch func(context.Context) (T, error)) {
	ctx, cancel := context.WithTimeout(ctx, t.limit)
	defer cancel()
	go func() {
		select {
		case <-t.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	a.value, a.err = fetch(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = nil
	if a.err == nil && t.ttl != 0 {
		s.value, s.known, s.until = a.value, true, t.now().Add(t.ttl)
	}
	close(a.done)
}

// forget drops the value.
func (s *shared[T]) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = false
}
