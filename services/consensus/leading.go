package consensus

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/lease"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/outbox"
	"github.com/smeshery/smeshery/services/consensus/internal/beacons"
	"github.com/smeshery/smeshery/services/consensus/internal/blocks"
	"github.com/smeshery/smeshery/services/consensus/internal/hare"
	"github.com/smeshery/smeshery/services/consensus/internal/proposing"
)

// leader is the name of the lease.
const leader = "leader"

// errNoLease says that another process may lead by now.
var errNoLease = errors.New("the lease is lost")

// leading is a live service: it waits for the lease, and does everything while it
// holds it.
//
//	starting ─► standing by ◄──────────────┐
//	                │ lease                 │ lost
//	                ▼                       │
//	            recovering ─► serving ──► draining ─► stopped
type leading struct {
	*Service
	lease   *lease.Holder
	relay   *outbox.Relay
	changed chan struct{}
	// status is why the service is not ready; nil is ready.
	status  atomic.Pointer[string]
	tenure  atomic.Pointer[tenure]
	metrics metrics
}

type metrics struct {
	duties    *duties
	beacon    *beacons.Metrics
	proposals *proposing.Metrics
	hare      *hare.Metrics
	blocks    *blocks.Metrics
}

func newLeading(s *Service) (*leading, error) {
	l := &leading{Service: s, changed: make(chan struct{}, 1), metrics: metrics{
		duties: newDuties(s.deps.Registry), beacon: beacons.NewMetrics(s.deps.Registry), proposals: proposing.NewMetrics(s.deps.Registry),
		hare: hare.NewMetrics(s.deps.Registry), blocks: blocks.NewMetrics(s.deps.Registry),
	}}
	l.become("starting")
	cfg := lease.Config{Holder: s.cfg.Holder, TTL: s.cfg.LeaseTTL, Changed: l.onChange, Metrics: s.deps.Registry}
	if s.cfg.Exclusive {
		cfg.Instance = "only"
	}
	var err error
	if l.lease, err = lease.New(s.deps.DB, cfg, s.deps.Log); err != nil {
		return nil, err
	}
	l.relay, err = outbox.New(s.deps.DB, s.deps.Bus, s.cfg.Outbox, s.deps.Log, s.deps.Registry)
	return l, err
}

func (l *leading) onChange(c lease.Change) {
	l.deps.Log.Info("lease", "name", c.Name, "term", c.Term, "what", c.What)
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

func (l *leading) become(why string) { l.status.Store(&why) }

// becomeReady is for serving and for standing by, which is all that can be done
// while another process leads.
func (l *leading) becomeReady() { l.status.Store(nil) }

func (l *leading) ready() error {
	if why := l.status.Load(); why != nil {
		return errors.New("consensus is " + *why)
	}
	return nil
}

// run leads whenever this process holds the lease, until ctx ends.
func (l *leading) run(ctx context.Context) error {
	if err := store.Check(ctx, l.deps.DB, Schema()); err != nil {
		return err
	}
	if err := bus.EnsureStreams(ctx, l.deps.Bus, l.cfg.StreamReplicas); err != nil {
		return err
	}
	l.becomeReady()
	group, ctx := errgroup.WithContext(ctx)
	// The lease is renewed until the last request is answered.
	leasing, endLease := context.WithCancel(context.WithoutCancel(ctx))
	l.lease.Want(leader)
	group.Go(func() error { return l.lease.Run(leasing) })
	group.Go(func() error {
		defer endLease()
		err := l.tenures(ctx)
		l.become("stopped")
		resign, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return errors.Join(err, l.lease.Resign(resign))
	})
	return group.Wait()
}

// tenures leads whenever the lease is held.
func (l *leading) tenures(ctx context.Context) error {
	for ctx.Err() == nil {
		term, ok := l.lease.Term(leader)
		if !ok {
			select {
			case <-ctx.Done():
			case <-l.changed:
			}
			continue
		}
		err := l.lead(ctx, term)
		if err != nil && ctx.Err() == nil {
			if fatal(err) {
				return err
			}
			l.deps.Log.Warn("cannot lead", "err", err)
			l.become("recovering: " + err.Error())
			pause := time.NewTimer(time.Second)
			select {
			case <-ctx.Done():
			case <-pause.C:
			}
			pause.Stop()
			continue
		}
		l.becomeReady()
	}
	return nil
}

// fence fails a transaction of a process that lost the lease.
func (l *leading) fence(term lease.Term) func(context.Context, pgx.Tx) error {
	return func(ctx context.Context, tx pgx.Tx) error {
		held, err := tx.Exec(ctx, "SELECT FROM lease WHERE name = $1 AND term = $2 FOR SHARE", leader, int64(term))
		if err != nil {
			return fmt.Errorf("check lease: %w", err)
		}
		if held.RowsAffected() == 0 {
			return errNoLease
		}
		return nil
	}
}

// hold waits until ctx ends or the tenure does. Outside of its trust window the
// tenure may still be renewed, and what is written then is fenced; duties pause.
func (l *leading) hold(ctx context.Context, term lease.Term) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.changed:
			if now, ok := l.lease.Term(leader); !ok || now != term {
				return
			}
		}
	}
}

// trusted tells whether the tenure is inside its trust window, which whatever has
// no row is guarded by.
func (l *leading) trusted(term lease.Term) bool {
	now, ok := l.lease.Term(leader)
	return ok && now == term
}
