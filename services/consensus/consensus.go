package consensus

import (
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
}

// Service is one process's consensus.
type Service struct {
	cfg    Config
	deps   Deps
	costs  *engine.Costs
	engine atomic.Pointer[engine.Engine]
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
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("consensus: %w", err)
	}
	if deps.Registry == nil {
		deps.Registry = prometheus.NewRegistry()
	}
	return &Service{cfg: cfg.withDefaults(), deps: deps, costs: engine.NewCosts(deps.Registry)}, nil
}

func (c Config) withDefaults() Config {
	if c.Workers <= 0 {
		c.Workers = 4 * workersPerCore()
	}
	if c.QueueLength <= 0 {
		c.QueueLength = 4096
	}
	if c.FollowEvery <= 0 {
		c.FollowEvery = time.Second
	}
	return c
}

// Ready answers nil once the state is rebuilt and requests are served.
func (s *Service) Ready() error {
	if s.engine.Load() == nil {
		return errors.New("consensus is recovering")
	}
	return s.deps.Bus.Ready()
}

// Run recovers from Postgres and serves until ctx ends. It returns when all it
// started has ended.
func (s *Service) Run(ctx context.Context) error {
	began := time.Now()
	e, err := engine.Open(ctx, s.cfg.Network, engine.Deps{
		DB: s.deps.DB, Bus: s.deps.Bus, Log: s.deps.Log, Now: s.deps.Now, Seed: hashSeed(), Costs: s.costs,
	})
	if err != nil {
		return fmt.Errorf("consensus: %w", err)
	}
	s.deps.Log.Info("recovered", "processed", e.Status().Processed, "in_state", e.Status().InState, "took", time.Since(began))
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return e.Run(ctx) })
	if err := s.serve(ctx, e); err != nil {
		return errors.Join(fmt.Errorf("consensus: %w", err), group.Wait())
	}
	group.Go(func() error { return s.follow(ctx, e) })
	s.engine.Store(e)
	err = group.Wait()
	s.deps.Bus.Drain(context.WithoutCancel(ctx))
	return err
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
