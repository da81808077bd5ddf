package consensus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/outbox"
	"github.com/smeshery/smeshery/services/consensus/internal/clock"
	"github.com/smeshery/smeshery/services/consensus/internal/db"
	"github.com/smeshery/smeshery/services/consensus/internal/engine"
)

// Config is the service's configuration.
type Config struct {
	// Network is the network's numbers.
	Network network.Params
	// Workers is how many ballots are judged at a time; 0 is 4 for each core.
	Workers int
	// QueueLength bounds the ballots that wait; 0 is 4096.
	QueueLength int
	// FollowEvery is the slow poll of the feeds; 0 is 1 s.
	FollowEvery time.Duration

	// Live makes the service take part in the network: clock, beacon, hare,
	// proposals. Without it the service only digests what it is offered, needs no
	// lease, and all below is of no interest.
	Live bool
	// Standalone says that this node is the whole network: it is synced at once,
	// and makes the beacon of the first epoch itself (spec 05 §18.6).
	Standalone bool
	// Holder names this process among the replicas, in the lease; default
	// "consensus".
	Holder string
	// Exclusive says that something else keeps a second process away, such as the
	// lock on a data directory: a process that starts again takes the lease of the
	// one before over at once.
	Exclusive bool
	// LeaseTTL is how long a process that died keeps others from taking over; 0 is
	// 15 s.
	LeaseTTL time.Duration
	// StreamReplicas is how many NATS servers keep each stream; 0 is 1.
	StreamReplicas int
	// Drain is how long a stopping service works off its queues; 0 is 10 s.
	Drain time.Duration
	// Outbox tunes the relay; zero takes its defaults.
	Outbox outbox.Config
}

// Deps is what the service works with; all but Registry are needed.
type Deps struct {
	// DB acts as the writer of the schema "consensus".
	DB *store.DB
	// Bus is connected as the service "consensus".
	Bus      *bus.Conn
	Log      *slog.Logger
	Registry prometheus.Registerer
	// Now is the clock.
	Now func() time.Time
	// Timer is the machine's timers unless a test owns the time.
	Timer func(d time.Duration) (fired <-chan time.Time, stop func())
}

// Service is one process's consensus.
type Service struct {
	cfg    Config
	deps   Deps
	costs  *engine.Costs
	engine atomic.Pointer[engine.Engine]
	// live is nil where the service is not.
	live *leading
}

// Schema is what the service keeps in Postgres.
func Schema() store.Schema { return db.Schema() }

// New checks what it is given; it does no I/O.
func New(cfg Config, deps Deps) (*Service, error) {
	var problems []error
	if cfg.Network.LayersPerEpoch == 0 || cfg.Network.LayerDuration <= 0 {
		problems = append(problems, errors.New("network: layers per epoch and layer duration must be set"))
	}
	if deps.DB == nil || deps.Bus == nil || deps.Log == nil || deps.Now == nil {
		problems = append(problems, errors.New("deps: DB, Bus, Log and Now are needed"))
	}
	if cfg.Standalone && !cfg.Live {
		problems = append(problems, errors.New("standalone: only a live service can be"))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("consensus: %w", err)
	}
	if deps.Registry == nil {
		deps.Registry = prometheus.NewRegistry()
	}
	if deps.Timer == nil {
		deps.Timer = clock.System
	}
	s := &Service{cfg: cfg.withDefaults(), deps: deps, costs: engine.NewCosts(deps.Registry)}
	deps.Registry.MustRegister(newWatch(s))
	if !cfg.Live {
		return s, nil
	}
	var err error
	if s.live, err = newLeading(s); err != nil {
		return nil, fmt.Errorf("consensus: %w", err)
	}
	return s, nil
}

func (c Config) withDefaults() Config {
	if c.Workers <= 0 {
		c.Workers = 4 * workersPerCore()
	}
	c.QueueLength = cmp.Or(max(c.QueueLength, 0), 4096)
	c.FollowEvery = cmp.Or(max(c.FollowEvery, 0), time.Second)
	c.Holder = cmp.Or(c.Holder, bus.ConsensusService)
	c.LeaseTTL = cmp.Or(max(c.LeaseTTL, 0), 15*time.Second)
	c.StreamReplicas = cmp.Or(max(c.StreamReplicas, 0), 1)
	c.Drain = cmp.Or(max(c.Drain, 0), 10*time.Second)
	return c
}

// Ready answers nil once the state is rebuilt and requests are served, or while
// the service stands by for another process.
func (s *Service) Ready() error {
	if s.live != nil {
		if err := s.live.ready(); err != nil {
			return err
		}
		return s.deps.Bus.Ready()
	}
	if s.engine.Load() == nil {
		return errors.New("consensus is recovering")
	}
	return s.deps.Bus.Ready()
}

// Run recovers from Postgres and serves until ctx ends: a live service whenever
// this process holds the lease. It returns when all it started has ended.
func (s *Service) Run(ctx context.Context) error {
	var err error
	if s.live != nil {
		err = s.live.run(ctx)
	} else {
		err = s.digest(ctx)
	}
	if err != nil {
		return fmt.Errorf("consensus: %w", err)
	}
	return nil
}

// digest serves what syncing needs.
func (s *Service) digest(ctx context.Context) error {
	e, err := s.open(ctx, engine.Deps{})
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return e.Run(ctx) })
	if _, err := s.serve(ctx, e, func() bool { st := e.Status(); return st.Processed+1 >= st.Current }); err != nil {
		return errors.Join(err, group.Wait())
	}
	group.Go(func() error { return s.follow(ctx, e) })
	s.engine.Store(e)
	err = group.Wait()
	s.deps.Bus.Drain(context.WithoutCancel(ctx))
	return err
}

// open rebuilds the state from the database.
func (s *Service) open(ctx context.Context, deps engine.Deps) (*engine.Engine, error) {
	began := time.Now()
	deps.DB, deps.Bus, deps.Log, deps.Now = s.deps.DB, s.deps.Bus, s.deps.Log, s.deps.Now
	deps.Seed, deps.Costs, deps.Timer = hashSeed(), s.costs, s.deps.Timer
	e, err := engine.Open(ctx, s.cfg.Network, deps)
	if err != nil {
		return nil, err
	}
	st := e.Status()
	s.deps.Log.Info("recovered", "processed", st.Processed, "in_state", st.InState, "took", time.Since(began))
	return e, nil
}

// follow keeps up with the other services' rows.
func (s *Service) follow(ctx context.Context, e *engine.Engine) error {
	tick := time.NewTicker(s.cfg.FollowEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := e.Follow(ctx); err != nil && ctx.Err() == nil {
			s.deps.Log.Warn("cannot follow the other services' rows", "err", err)
		}
	}
}
