package smeshing

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/lease"
	read "github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/guard"
)

// Outcomes of a round besides those of package atx (spec 04 §5.5).
var (
	// errLost: somebody else lives this life now.
	errLost = errors.New("the identity's lease is lost")
	// errInitialPost: the first proof of space does not hold any more.
	errInitialPost = errors.New("initial proof of space is not valid")
	// errPermanent: no try for this epoch can succeed.
	errPermanent = errors.New("nothing can be published for this epoch")
)

// life is one identity's. Its rows are the truth; it keeps nothing in memory
// that a step back to the rows would not restore.
type life struct {
	*Smesher
	id    wire.NodeID
	term  lease.Term
	lease string
	log   *slog.Logger
	shown read.Step // the step that was last written for people
	at    atomic.Pointer[spot]
}

func (s *Smesher) newLife(id wire.NodeID, term lease.Term) *life {
	return &life{
		Smesher: s, id: id, term: term, lease: guard.LeaseName(id),
		log: s.deps.Log.With("smesher", id.String()),
	}
}

// live goes on until ctx ends or the lease is lost.
func (l *life) live(ctx context.Context) {
	next := l.begin
	for ctx.Err() == nil {
		err := next(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			next = l.round
			continue
		case errors.Is(err, errLost):
			l.log.Warn("life ends here", "err", err)
			return
		}
		next = l.react(ctx, err, next)
	}
}

// react follows the policy for a round that failed, and says what to do next.
func (l *life) react(ctx context.Context, err error, now func(context.Context) error) func(context.Context) error {
	l.log.Warn("round did not succeed", "err", err)
	l.note(ctx, err)
	l.metrics.failures.WithLabelValues(reasonOf(err)).Inc()
	switch {
	case errors.Is(err, errCrash):
		<-ctx.Done()
	case errors.Is(err, atx.ErrPoetUnstable):
		_ = l.deps.Alarm.Sleep(ctx, l.now().Add(l.cfg.RetryInterval))
	case errors.Is(err, errInitialPost):
		if l.tried(ctx, l.forgetAll(ctx)) {
			return l.begin
		}
	case errors.Is(err, atx.ErrChallengeExpired), errors.Is(err, errPermanent):
		l.tried(ctx, l.reset(ctx))
		l.nextLayer(ctx)
	default:
		l.nextLayer(ctx)
	}
	return now
}

// errCrash is a test's.
var errCrash = errors.New("crash")

// tried tells whether cleaning up succeeded. If not, the rows stay as they are,
// and the next round comes to the same conclusion.
func (l *life) tried(ctx context.Context, err error) bool {
	if err != nil && ctx.Err() == nil {
		l.log.Warn("rows stay", "err", err)
		l.nextLayer(ctx)
	}
	return err == nil
}

func (l *life) now() time.Time { return l.deps.Alarm.Now() }

func (l *life) nextLayer(ctx context.Context) {
	clock := l.calendar.Clock
	at := clock.Genesis
	if now := l.now(); !now.Before(at) {
		at = clock.Start(clock.LayerAt(now) + 1)
	}
	_ = l.deps.Alarm.Sleep(ctx, at)
}

// pollEvery is how often things outside the database are looked at that nobody
// tells us of.
const pollEvery = 2 * time.Second

func (l *life) synced(ctx context.Context) error {
	for !l.deps.Synced() {
		l.show(ctx, read.StepWaitSync, 0, time.Time{})
		if err := l.deps.Alarm.Sleep(ctx, l.now().Add(pollEvery)); err != nil {
			return err
		}
	}
	return nil
}

// round is the way from a challenge to a published ATX, from wherever the rows
// say that it is (spec 04 §5.5).
func (l *life) round(ctx context.Context) error {
	if err := l.synced(ctx); err != nil {
		return err
	}
	rows, err := l.load(ctx)
	if err != nil {
		return err
	}
	c := rows.challenge
	if c != nil && c.Publish < l.calendar.EpochAt(l.now()) {
		return atx.ErrChallengeExpired
	}
	if c == nil {
		if c, err = l.challenge(ctx); err != nil {
			return err
		}
	}
	end := l.calendar.PublishEnds(c.Publish)
	ctx, cancel := l.deps.Alarm.Until(ctx, end)
	defer cancel()
	err = l.advance(ctx, c, rows)
	if err != nil && errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return errors.Join(atx.ErrChallengeExpired, err)
	}
	return err
}

// advance does step after step.
func (l *life) advance(ctx context.Context, c *challenge, rows *rows) error {
	hash := c.hash(l.cfg.Network.ATXVersionAt(c.Publish))
	progress := atx.Progress{ProofChosen: c.Ref != nil, PostDone: rows.nipost != nil}
	registered := rows.registrations
	for rows.nipost == nil {
		progress.Registered = progress.Registered[:0]
		for i := range registered {
			progress.Registered = append(progress.Registered, registered[i].Poet)
		}
		step, err := l.calendar.NextStep(c.Publish, l.now(), l.deps.PoETs.Names(), progress)
		if err != nil {
			return err
		}
		switch {
		case len(step.Register) > 0:
			var more []registration
			if more, err = l.register(ctx, c, hash, &step); err == nil {
				registered, progress.Tried = append(registered, more...), true
			}
		case len(step.Fetch) > 0:
			if err = l.fetch(ctx, c, hash, registered); err == nil {
				progress.ProofChosen = true
			}
		default:
			rows.nipost, err = l.prove(ctx, c, rows.initial, step.Abort)
		}
		if err != nil {
			return err
		}
	}
	return l.publish(ctx, c, rows.nipost)
}
