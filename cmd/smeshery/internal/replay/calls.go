package replay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/node"
	"github.com/smeshery/smeshery/pkg/bus"
)

const (
	// callLimit bounds one request: a batch of proofs may be ahead of it.
	callLimit = 5 * time.Minute
	// failures is how often a service may fail at the same request while the
	// database is well.
	failures = 6
	// patience is how long services and database may be away.
	patience = 15 * time.Minute
	// noticeAfter is when the user is told of a wait, and how often.
	noticeAfter = 3 * time.Second
)

// persist makes a request until it is answered. A busy service is tried again
// soon; one that is away, or has no database, is waited for. Repeats are harmless
// by the contract of every subject that is used here.
func (r *run) persist(ctx context.Context, what string, request func(context.Context) error) error {
	w := wait{began: time.Now(), pause: time.Millisecond}
	for failed := 0; ; {
		err := r.once(ctx, request)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case node.Full(err):
			return fmt.Errorf("%s: the disk is full; free some space and run the same command again: %w", what, err)
		case errors.Is(err, bus.Busy):
		case errors.Is(err, bus.Internal):
			if r.databaseAnswers(ctx) {
				failed++
			}
			w.atLeast(100 * time.Millisecond)
		case errors.Is(err, bus.Late), errors.Is(err, bus.Unavailable), errors.Is(err, bus.Stopping):
			w.atLeast(50 * time.Millisecond)
		default:
			return fmt.Errorf("%s: %w", what, err)
		}
		if failed >= failures || time.Since(w.began) > patience {
			return fmt.Errorf("%s: %w", what, err)
		}
		if err := r.rest(ctx, &w, what, err); err != nil {
			return err
		}
	}
}

// wait is the state of a request that is repeated.
type wait struct {
	began, told time.Time
	pause       time.Duration
}

func (w *wait) atLeast(d time.Duration) { w.pause = max(w.pause, d) }

func (r *run) once(ctx context.Context, request func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	return request(ctx)
}

// rest pauses, tells the user about long waits, and ends them if the node fails.
func (r *run) rest(ctx context.Context, w *wait, what string, why error) error {
	if now := time.Now(); !errors.Is(why, bus.Busy) && now.Sub(w.began) > noticeAfter && now.Sub(w.told) > noticeAfter && r.mayNotice(now) {
		w.told = now
		r.progress.Notice("waiting since %s: %s: %v", time.Since(w.began).Round(time.Second), what, why)
	}
	timer := time.NewTimer(w.pause)
	defer timer.Stop()
	w.pause = min(2*w.pause, 2*time.Second)
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-r.target.Failed():
		return r.target.Err()
	case <-timer.C:
		return nil
	}
}

// mayNotice keeps many requests that wait for the same from saying so at once.
func (r *run) mayNotice(now time.Time) bool {
	last := r.noticed.Load()
	return now.UnixNano()-last > int64(noticeAfter) && r.noticed.CompareAndSwap(last, now.UnixNano())
}

func (r *run) databaseAnswers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return r.target.DB().Ping(ctx) == nil
}

// query repeats a read until the database answers; errors of SQL are final.
func (r *run) query(ctx context.Context, what string, read func(context.Context) error) error {
	return r.persist(ctx, what, func(ctx context.Context) error {
		err := read(ctx)
		if err != nil && !r.databaseAnswers(ctx) {
			return fmt.Errorf("%w: %w", bus.Unavailable, err)
		}
		return err
	})
}
