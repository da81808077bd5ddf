package consensus

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/layerclock"
	"github.com/smeshery/smeshery/pkg/lease"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/beacons"
	"github.com/smeshery/smeshery/services/consensus/internal/blocks"
	"github.com/smeshery/smeshery/services/consensus/internal/clock"
	"github.com/smeshery/smeshery/services/consensus/internal/engine"
	"github.com/smeshery/smeshery/services/consensus/internal/hare"
	"github.com/smeshery/smeshery/services/consensus/internal/proposing"
	"github.com/smeshery/smeshery/services/consensus/internal/signer"
)

// fatal are errors that trying again does not cure.
func fatal(err error) bool { return errors.Is(err, engine.ErrForeignNetwork) }

// tenure is everything that runs while this process leads.
type tenure struct {
	*leading
	term     lease.Term
	clock    clock.Clock
	calendar layerclock.Clock

	engine    *engine.Engine
	signer    *signer.Signer
	book      *beacons.Book
	proposals *hare.Proposals
	charges   *hare.Charges
	driver    *hare.Driver
	worker    *blocks.Worker
	builder   *proposing.Builder

	synced atomic.Bool
	// told is the last layer of which hare was told.
	told wire.LayerID
	// due wakes the processing of layers.
	due chan struct{}
}

func (l *leading) assemble(ctx context.Context, term lease.Term) (*tenure, error) {
	e, err := l.open(ctx, engine.Deps{Alone: l.cfg.Standalone, Fence: l.fence(term), Wake: l.relay.Wake})
	if err != nil {
		return nil, err
	}
	t := &tenure{
		leading: l, term: term, engine: e, book: e.Beacons(),
		clock:    clock.Clock{Now: l.deps.Now, Timer: l.deps.Timer},
		calendar: layerclock.Clock{Genesis: l.cfg.Network.Genesis.Time, LayerDuration: l.cfg.Network.LayerDuration},
		signer:   signer.New(l.deps.DB, l.deps.Bus, l.deps.Log),
		charges:  new(hare.Charges),
		due:      make(chan struct{}, 1),
	}
	current := t.calendar.LayerAt(t.clock.Now())
	t.told = current
	t.proposals = hare.NewProposals(l.cfg.Network.Tortoise.Zdist, current)
	t.worker = blocks.New(l.cfg.Network, blocks.Deps{
		DB: l.deps.DB, Bus: l.deps.Bus, Engine: e, Keys: t.signer, Proposals: t.proposals, Charges: t.charges,
		Log: l.deps.Log, Listening: t.synced.Load, Metrics: l.metrics.blocks,
	})
	t.driver, err = hare.New(l.cfg.Network, hare.Deps{
		Node: e, Oracle: e.Oracle(), Keys: t.signer, Publisher: l.deps.Bus, Results: t.worker,
		Proposals: t.proposals, Charges: t.charges, Log: l.deps.Log, Now: t.clock.Now, Timer: t.clock.Timer,
		Metrics: l.metrics.hare,
	})
	if err != nil {
		return nil, err
	}
	t.builder = proposing.New(l.cfg.Network, proposing.Deps{
		DB: l.deps.DB, Node: e, Signer: t.signer, Log: l.deps.Log, Metrics: l.metrics.proposals, Now: t.clock.Now,
		Wake: l.relay.Wake, Alone: l.cfg.Standalone,
		Select: func(ctx context.Context, r bus.SelectRequest) (bus.SelectReply, error) {
			return bus.Select().Call(ctx, l.deps.Bus, r)
		},
	})
	return t, nil
}

// lead recovers, and does all duties until ctx ends or the lease is lost. What was
// taken from queues is answered before it returns.
func (l *leading) lead(ctx context.Context, term lease.Term) error {
	l.become("recovering")
	t, err := l.assemble(ctx, term)
	if err != nil {
		return err
	}
	// Handlers and the writer outlive ctx until everything is drained.
	work, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	var background errgroup.Group
	background.Go(func() error { return t.engine.Run(work) })
	background.Go(func() error { return l.relay.Run(work) })
	background.Go(func() error { return l.follow(work, t.engine) })
	subs, err := t.subscribe(work)
	if err == nil {
		t.tenureServes(ctx)
	}
	l.become("draining")
	l.tenure.Store(nil)
	l.Service.engine.Store(nil)
	drain(subs, l.cfg.Drain)
	abort()
	err = errors.Join(err, background.Wait())
	flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if _, e := l.relay.Flush(flush); e != nil {
		l.deps.Log.Warn("outbox is left for the next process", "err", e)
	}
	return err
}

// tenureServes runs the duties until ctx ends or the tenure does.
func (t *tenure) tenureServes(ctx context.Context) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	var duties errgroup.Group
	t.begin(ctx)
	duties.Go(func() error { return t.driver.Run(ctx) })
	duties.Go(func() error { return t.worker.Run(ctx) })
	duties.Go(func() error {
		return t.book.Run(ctx, beacons.Live{Signer: t.signer, Publisher: t.deps.Bus, Metrics: t.metrics.beacon})
	})
	next := t.next()
	duties.Go(func() error { return t.layers(ctx, next) })
	duties.Go(func() error { return t.processing(ctx) })
	t.leading.Service.engine.Store(t.engine)
	t.becomeReady()
	t.tenure.Store(t)
	t.deps.Log.Info("leading", "term", t.term, "identities", len(t.signer.Identities()))
	t.hold(ctx, t.term)
	end()
	if err := duties.Wait(); err != nil {
		t.deps.Log.Error("a duty failed", "err", err)
	}
}

// drain leaves all queue groups and waits for what was taken.
func drain(subs []*bus.Subscription, patience time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var all sync.WaitGroup
	for _, sub := range subs {
		all.Go(func() { sub.Drain(ctx) })
	}
	all.Wait()
}

// Leading tells whether this process does the duties now: a live service of which
// there are several stands by while another one does.
func (s *Service) Leading() bool { return s.live != nil && s.live.tenure.Load() != nil }

// Wake makes the parts that keep real time look at the clock, for clocks that do
// not run with time.
func (s *Service) Wake() {
	if s.live == nil {
		return
	}
	if t := s.live.tenure.Load(); t != nil {
		t.driver.Wake()
		t.worker.Poke()
	}
}
