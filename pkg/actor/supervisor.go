package actor

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Backoff is the pause before a restart: First, doubled with every failure in
// a row up to Max. An actor that ran for Calm counts as recovered.
type Backoff struct {
	First, Max, Calm time.Duration
}

// DefaultBackoff suits actors whose trouble is usually Postgres or NATS.
func DefaultBackoff() Backoff {
	return Backoff{First: 100 * time.Millisecond, Max: 30 * time.Second, Calm: time.Minute}
}

// pause is the wait after the nth failure in a row, n from 1. Half of it is
// left to chance, so that a thousand actors do not come back at once.
func (b Backoff) pause(n int, chance float64) time.Duration {
	d := b.First
	for range n - 1 {
		if d >= b.Max/2 {
			d = b.Max
			break
		}
		d *= 2
	}
	return d/2 + time.Duration(chance*float64(d)/2)
}

// Counter counts restarts: a prometheus.Counter.
type Counter interface{ Inc() }

// Supervisor runs named tasks and restarts those that fail. Use NewSupervisor.
type Supervisor struct {
	backoff  Backoff
	log      *slog.Logger
	restarts Counter
	total    atomic.Uint64

	mu    sync.Mutex
	tasks map[string]*task
	ended bool
	all   sync.WaitGroup
}

type task struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// ErrExists says that a task of this name runs.
var ErrExists = errors.New("a task of this name runs already")

// NewSupervisor returns a supervisor without tasks. log and restarts may be nil.
func NewSupervisor(b Backoff, log *slog.Logger, restarts Counter) *Supervisor {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Supervisor{backoff: b, log: log, restarts: restarts, tasks: make(map[string]*task)}
}

// Go runs f under a name until it returns nil or ErrDone, ctx ends or Stop is
// called; if f fails or panics, it is called again after a pause. After Wait was
// called nothing starts: the error is ErrClosed.
func (s *Supervisor) Go(ctx context.Context, name string, f func(ctx context.Context) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return ErrClosed
	}
	if _, ok := s.tasks[name]; ok {
		return ErrExists
	}
	ctx, cancel := context.WithCancel(ctx)
	t := &task{cancel, make(chan struct{})}
	s.tasks[name] = t
	s.all.Go(func() {
		s.supervise(ctx, name, f)
		cancel()
		s.mu.Lock()
		delete(s.tasks, name)
		s.mu.Unlock()
		close(t.done)
	})
	return nil
}

// Run supervises an actor: each run of it starts from what is persisted.
func Run[M any](ctx context.Context, s *Supervisor, name string, box *Mailbox[M], start Start[M]) error {
	return s.Go(ctx, name, func(ctx context.Context) error {
		a, err := start(ctx)
		if err != nil {
			return err
		}
		return Loop(ctx, box, a)
	})
}

func (s *Supervisor) supervise(ctx context.Context, name string, f func(context.Context) error) {
	failures := 0
	for {
		began := time.Now()
		err := safely(func() error { return f(ctx) })
		if err == nil || errors.Is(err, ErrDone) || ctx.Err() != nil {
			return
		}
		if time.Since(began) >= s.backoff.Calm {
			failures = 0
		}
		failures++
		s.total.Add(1)
		if s.restarts != nil {
			s.restarts.Inc()
		}
		pause := s.backoff.pause(failures, rand.Float64()) //nolint:gosec // spreads load, decides nothing
		s.log.Error("actor failed and starts again", "actor", name, "failures", failures, "pause", pause, "err", err)
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// Stop ends a task and returns when it has ended. An unknown name is no error.
func (s *Supervisor) Stop(name string) {
	s.mu.Lock()
	t, ok := s.tasks[name]
	s.mu.Unlock()
	if ok {
		t.cancel()
		<-t.done
	}
}

// Names lists the running tasks, in no order.
func (s *Supervisor) Names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make([]string, 0, len(s.tasks))
	for name := range s.tasks {
		names = append(names, name)
	}
	return names
}

// Restarts counts the restarts of all tasks.
func (s *Supervisor) Restarts() uint64 { return s.total.Load() }

// Wait lets nothing more start and returns when all tasks have ended. It does
// not end them: their contexts do.
func (s *Supervisor) Wait() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.all.Wait()
}
