package activation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/keyfile"
	"github.com/smeshery/smeshery/pkg/lease"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/telemetry"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/alarm"
	"github.com/smeshery/smeshery/services/activation/internal/guard"
	"github.com/smeshery/smeshery/services/activation/internal/intake"
	"github.com/smeshery/smeshery/services/activation/internal/poets"
	"github.com/smeshery/smeshery/services/activation/internal/sharing"
	"github.com/smeshery/smeshery/services/activation/internal/smeshing"
)

// working is what a running service consists of.
type working struct {
	*Service
	calendar atx.Calendar
	intake   *intake.Intake
	guard    *guard.Guard
	leases   *lease.Holder
	member   *sharing.Member
	wants    shares
	// Without proofs of space nobody smeshes, and these are nil.
	smesher *smeshing.Smesher
	poets   *poets.Servers
	alarm   *alarm.Alarm
}

// Run serves until ctx ends, then stops in order: unready, out of the queue
// groups, what was accepted is finished, leases are resigned, the outbox is
// emptied. It returns when all that it started has ended.
func (s *Service) Run(ctx context.Context) error {
	defer s.life.Advance(telemetry.Stopped)
	defer s.closePow()
	if err := store.Check(ctx, s.deps.DB, Schema()); err != nil {
		return fmt.Errorf("activation: %w", err)
	}
	s.life.Advance(telemetry.Recovering)
	w, err := s.assemble()
	if err != nil {
		return fmt.Errorf("activation: %w", err)
	}
	if s.cfg.Instance != "" {
		// Who keeps other activations away keeps their workers away, too.
		if err := s.tasks.Abandoned(ctx); err != nil {
			return fmt.Errorf("activation: %w", err)
		}
	}
	// What runs in the background outlives ctx until everything is drained.
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var group errgroup.Group
	group.Go(func() error { return s.outbox.Run(background) })
	if err := w.share(ctx); err != nil {
		return fmt.Errorf("activation: %w", err)
	}
	group.Go(func() error { return w.leases.Run(background) })
	group.Go(func() error { return w.keepSharing(background) })
	w.runSmeshing(background, &group)
	group.Go(func() error { return w.keepLeaseChanges(background) })
	group.Go(func() error { return s.tasks.Run(background) })
	err = w.serve(background)
	if err == nil {
		err = w.hearPostServices(background, &group)
	}
	if err == nil {
		s.life.Advance(telemetry.Serving)
		s.deps.Log.Info("activation serves", "identities", w.guard.Keys())
		<-ctx.Done()
	}
	s.life.Advance(telemetry.Draining)
	return errors.Join(err, w.drain(stop, &group))
}

func (w *working) drain(stop func(), group *errgroup.Group) error {
	ctx, cancel := context.WithTimeout(context.Background(), w.cfg.Drain)
	defer cancel()
	w.deps.Bus.Drain(ctx)
	stop()
	err := group.Wait()
	errs := []error{err, w.member.Leave(ctx), w.leases.Resign(ctx), w.guard.KeepLeases(ctx, w.deps.DB, w.changes.take())}
	if _, err := w.outbox.Flush(ctx); err != nil {
		w.deps.Log.Warn("messages stay in the outbox", "err", err)
	}
	return errors.Join(errs...)
}

func (s *Service) assemble() (*working, error) {
	keys, err := s.loadKeys()
	if err != nil {
		return nil, err
	}
	w := &working{Service: s, calendar: atx.CalendarOf(&s.cfg.Network)}
	w.leases, err = lease.New(s.deps.DB, lease.Config{
		Holder: s.cfg.Holder, Instance: s.cfg.Instance, TTL: s.cfg.LeaseTTL, Changed: func(c lease.Change) { s.changes.add(c) },
		Metrics: s.deps.Registry,
	}, s.deps.Log)
	if err != nil {
		return nil, err
	}
	id := s.cfg.Network.Genesis.ID()
	w.guard = guard.New(s.deps.DB, w.leases, id[:], keys, s.metrics)
	w.member = sharing.New(s.deps.DB, s.cfg.Holder, s.cfg.LeaseTTL)
	validity := atx.ValidityUnknown
	if s.cfg.Network.Post.K3 >= s.cfg.Network.Post.K2 {
		validity = atx.ValidityValid
	}
	w.intake = intake.New(s.deps.DB, intake.Config{
		Rules: &atx.Rules{Params: atx.ParamsOf(&s.cfg.Network), Verifier: signing.NewVerifier(id[:])},
		Space: s.space, Own: w.guard.Own, Validity: validity, Metrics: s.metrics,
		Received: s.deps.Received, Stored: s.tellFollowers,
	})
	return w, w.assembleSmeshing()
}

func (s *Service) loadKeys() ([]signing.Key, error) {
	if s.cfg.Identities == "" {
		return nil, nil
	}
	found, err := keyfile.Load(s.cfg.Identities)
	if err != nil && !errors.Is(err, keyfile.ErrNoKeys) {
		return nil, err
	}
	s.names.add(found)
	return store.Column(found, func(i *keyfile.Identity) signing.Key { return i.Key }), nil
}

// tellFollowers hints at new rows and has the outbox relayed. A hint that is
// lost costs followers the time until they poll.
func (s *Service) tellFollowers(atxs, malicious bool) {
	hint := func(feed string) {
		if err := bus.NewRows(bus.ActivationService, feed).Hint(s.deps.Bus, bus.None{}); err != nil {
			s.deps.Log.Debug("followers were not told", "feed", feed, "err", err)
		}
	}
	if atxs {
		hint(bus.FeedATXs)
	}
	if malicious {
		hint(bus.FeedMalicious)
	}
	s.outbox.Wake()
}

// keepLeaseChanges moves changes of leases into the audit table.
func (w *working) keepLeaseChanges(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		w.metrics.Held.Set(float64(len(w.guard.Held())))
		changes := w.changes.take()
		if err := w.guard.KeepLeases(ctx, w.deps.DB, changes); err != nil {
			w.changes.add(changes...)
			if ctx.Err() == nil {
				w.deps.Log.Warn("lease changes wait for the audit", "err", err)
			}
		}
	}
}

// leaseChanges are changes that are not in the audit table yet. There are few,
// because without Postgres no lease changes hands.
type leaseChanges struct {
	mu   sync.Mutex
	list []lease.Change
}

func (l *leaseChanges) add(c ...lease.Change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, c...)
}

func (l *leaseChanges) take() []lease.Change {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.list
	l.list = nil
	return list
}

func (w *working) epoch(at time.Time) wire.EpochID { return w.calendar.EpochAt(at) }
