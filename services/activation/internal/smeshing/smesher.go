package smeshing

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/lease"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/guard"
	"github.com/smeshery/smeshery/services/activation/internal/intake"
)

// Smesher lives the lives of the identities that this process holds, one
// goroutine each, which sleeps nearly all the time.
type Smesher struct {
	cfg      Config
	deps     Deps
	calendar atx.Calendar
	search   search
	metrics  *metrics
	prefix   [20]byte
	signing  gather[guard.Item, guard.Verdict]
	storing  gather[intake.Item, atx.Outcome]

	coinbase atomic.Pointer[wire.Address]
	running  atomic.Bool
	updates  chan struct{} // wakes Run
	stopped  chan struct{} // closed when Run ends
	searches sync.WaitGroup

	mu    sync.Mutex
	lives map[wire.NodeID]*lifetime

	// step is where tests let the process die.
	step func(place string) error
}

// lifetime is a life and how to end it.
type lifetime struct {
	term   lease.Term
	cancel context.CancelFunc
	ended  chan struct{}
	at     *atomic.Pointer[spot]
}

// New makes a Smesher that smeshes as soon as it runs.
func New(cfg Config, deps Deps) (*Smesher, error) {
	if err := deps.check(); err != nil {
		return nil, err
	}
	cfg.setDefaults()
	s := &Smesher{
		cfg: cfg, deps: deps, calendar: atx.CalendarOf(&cfg.Network), prefix: cfg.Network.Genesis.ID(),
		lives: make(map[wire.NodeID]*lifetime), updates: make(chan struct{}, 1),
		stopped: make(chan struct{}), step: func(string) error { return nil },
	}
	s.signing = gather[guard.Item, guard.Verdict]{run: deps.Sign, most: 1 << 12}
	s.storing = gather[intake.Item, atx.Outcome]{run: s.handle, most: 1 << 9}
	s.SetCoinbase(cfg.Coinbase)
	s.running.Store(true)
	s.metrics = newMetrics(s)
	return s, s.metrics.register(deps.Registry)
}

// Coinbase is where rewards of ATXs go whose proof of space is still to be made.
func (s *Smesher) Coinbase() wire.Address { return *s.coinbase.Load() }

// SetCoinbase changes it for all identities.
func (s *Smesher) SetCoinbase(a wire.Address) { s.coinbase.Store(&a) }

// Smeshing tells whether lives go on.
func (s *Smesher) Smeshing() bool { return s.running.Load() }

// SetSmeshing ends all lives at their present steps, or lets them go on.
func (s *Smesher) SetSmeshing(on bool) {
	s.running.Store(on)
	select {
	case s.updates <- struct{}{}:
	default:
	}
}

// lookEvery is how often Run compares lives with leases.
const lookEvery = 100 * time.Millisecond

// Run lives until ctx ends, and returns when every life has stopped. It runs once.
func (s *Smesher) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	defer s.endAll()
	for {
		s.compare(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-s.updates:
		}
	}
}

// compare begins and ends lives as leases say.
func (s *Smesher) compare(ctx context.Context) {
	held := map[wire.NodeID]lease.Term{}
	if s.running.Load() {
		held = s.deps.Held()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, r := range s.lives {
		if held[id] != r.term {
			r.cancel()
		}
		select {
		case <-r.ended:
			delete(s.lives, id)
		default:
		}
	}
	for id, term := range held {
		if _, ok := s.lives[id]; ok || ctx.Err() != nil {
			continue // an old life comes to its end first
		}
		living, cancel := context.WithCancel(ctx)
		l := s.newLife(id, term)
		r := &lifetime{term: term, cancel: cancel, ended: make(chan struct{}), at: &l.at}
		s.lives[id] = r
		go func() {
			defer close(r.ended)
			defer cancel()
			l.live(living)
		}()
	}
}

// End stops the lives of identities that are about to be given up, and waits.
func (s *Smesher) End(ids []wire.NodeID) {
	for _, r := range s.taken(ids) {
		r.cancel()
		<-r.ended
	}
}

func (s *Smesher) taken(ids []wire.NodeID) (out []*lifetime) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		if r, ok := s.lives[id]; ok {
			r.cancel()
			out = append(out, r)
		}
	}
	return out
}

func (s *Smesher) endAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.lives {
		r.cancel()
	}
	for id, r := range s.lives {
		<-r.ended
		delete(s.lives, id)
	}
	close(s.stopped)
	s.searches.Wait()
}
