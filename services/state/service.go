package state

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/lease"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/outbox"
	"github.com/smeshery/smeshery/pkg/vm"

	"github.com/smeshery/smeshery/services/state/internal/intake"
	"github.com/smeshery/smeshery/services/state/internal/ledger"
	"github.com/smeshery/smeshery/services/state/internal/pool"
)

// writer is the name of the lease of the process that serves.
const writer = "writer"

// Service is the state service.
type Service struct {
	cfg  Config
	deps Deps
	log  *slog.Logger

	origin  ledger.Origin
	ledger  *ledger.Ledger
	pool    *pool.Pool
	txs     *intake.Transactions
	blocks  *intake.Blocks
	relay   *outbox.Relay
	lease   *lease.Holder
	changed chan struct{} // told of changes of the lease
	metrics *metrics

	// status is why the service is not ready; nil when it is.
	status atomic.Pointer[string]
}

// New checks the configuration and puts the service together. It does no I/O.
func New(cfg Config, deps Deps) (*Service, error) {
	cfg.setDefaults()
	if err := cfg.validate(deps); err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	s := &Service{cfg: cfg, deps: deps, log: deps.Log, changed: make(chan struct{}, 1)}
	s.become("starting")
	if err := s.build(); err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	return s, nil
}

func (s *Service) build() (err error) {
	genesis, err := vm.GenesisAccounts(&s.cfg.Network)
	if err != nil {
		return err
	}
	id := s.cfg.Network.Genesis.ID()
	params := vm.ParamsOf(&s.cfg.Network)
	params.EffectiveGenesis = s.cfg.effectiveGenesis()
	s.origin = ledger.Origin{
		GenesisID: id, Effective: params.EffectiveGenesis,
		Genesis: genesis, Restored: s.cfg.Restored, FromCheckpoint: s.cfg.RestoreLayer > 0,
	}
	s.pool = pool.New(s.deps.DB, params.BlockGasLimit)
	if s.lease, err = lease.New(s.deps.DB, lease.Config{
		Instance: s.cfg.Sole,
		Holder:   s.cfg.Instance, TTL: s.cfg.LeaseTTL, Changed: func(lease.Change) { poke(s.changed) },
		Metrics: s.deps.Metrics,
	}, s.log); err != nil {
		return err
	}
	if s.relay, err = outbox.New(s.deps.DB, s.deps.Bus, s.deps.Outbox, s.log, s.deps.Metrics); err != nil {
		return err
	}
	s.ledger = ledger.New(ledger.Config{
		Machine:        vm.New(params, signing.NewVerifier(id[:])),
		LayersPerEpoch: s.cfg.Network.LayersPerEpoch,
		Accounts:       s.cfg.CacheAccounts, Cores: s.cfg.Cores,
	}, ledger.Deps{
		DB: s.deps.DB, Log: s.log, Hooks: s.pool, Fence: s.fence, Events: s.event,
		Observe: func(phase string, took time.Duration) { s.metrics.observe(phase, took) },
	})
	if s.metrics, err = newMetrics(s, s.deps.Metrics); err != nil {
		return err
	}
	s.txs = &intake.Transactions{
		DB: s.deps.DB, Ledger: s.ledger, Pool: s.pool, Now: s.deps.Now, Events: s.event, Wake: s.relay.Wake,
	}
	s.blocks = &intake.Blocks{DB: s.deps.DB, Pool: s.pool, Genesis: params.EffectiveGenesis, Stored: s.hintBlocks}
	return nil
}

// Ready says why the service does not serve, or nil.
func (s *Service) Ready() error {
	if why := s.status.Load(); why != nil {
		return errors.New("state: " + *why)
	}
	return s.deps.Bus.Ready()
}

func (s *Service) become(why string) { s.status.Store(&why) }

// Run serves until ctx ends, whenever this process holds the lease. It returns
// an error if the service cannot start or its database is another network's.
func (s *Service) Run(ctx context.Context) error {
	if err := s.start(ctx); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	s.become("standby: another process holds the lease")
	group, ctx := errgroup.WithContext(ctx)
	// The lease is renewed until the last request is answered.
	leasing, endLease := context.WithCancel(context.WithoutCancel(ctx))
	s.lease.Want(writer)
	group.Go(func() error { return s.lease.Run(leasing) })
	group.Go(func() error {
		defer endLease()
		s.tenures(ctx)
		s.become("stopped")
		resign, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return s.lease.Resign(resign)
	})
	if err := group.Wait(); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	return nil
}

func (s *Service) start(ctx context.Context) error {
	if err := store.Check(ctx, s.deps.DB, Schema()); err != nil {
		return err
	}
	if err := ledger.Start(ctx, s.deps.DB, s.origin); err != nil {
		return err
	}
	return bus.EnsureStreams(ctx, s.deps.Bus, s.cfg.StreamReplicas)
}

// tenures serves whenever the lease is held.
func (s *Service) tenures(ctx context.Context) {
	for ctx.Err() == nil {
		if term, ok := s.lease.Term(writer); ok {
			if err := s.serve(ctx, term); err != nil {
				s.log.Warn("cannot serve yet", "err", err)
				s.become("recovering: " + err.Error())
				pause(ctx, time.Second)
				continue
			}
			s.become("standby: the lease was lost")
			continue
		}
		select {
		case <-ctx.Done():
		case <-s.changed:
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// errNoLease says that another process may serve by now.
var errNoLease = errors.New("the lease is lost")

// fence fails a transaction that changes layers without the lease.
func (s *Service) fence(ctx context.Context, tx pgx.Tx) error {
	term, ok := s.lease.Term(writer)
	if !ok {
		return errNoLease
	}
	held, err := tx.Exec(ctx, "SELECT FROM lease WHERE name = $1 AND term = $2 FOR SHARE", writer, int64(term))
	if err != nil {
		return fmt.Errorf("check lease: %w", err)
	}
	if held.RowsAffected() == 0 {
		return errNoLease
	}
	return nil
}

// event makes an event for users.
func (s *Service) event(id string, body events.Body) (bus.Outgoing, error) {
	return events.New(bus.StateService, s.deps.Now(), id, body)
}

func (s *Service) hintBlocks() {
	if err := bus.NewRows(bus.StateService, bus.FeedBlocks).Hint(s.deps.Bus, bus.None{}); err != nil {
		s.log.Warn("hint of a block is lost; followers poll", "err", err)
	}
}

// poke never blocks.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
