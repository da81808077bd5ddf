package tasks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/smeshery/smeshery/pkg/actor"
	"github.com/smeshery/smeshery/pkg/bus"
)

// Serve answers workers until the connection drains.
func (q *Queue) Serve(ctx context.Context) error {
	queue := bus.Queue{Length: 1024, Full: actor.Refuse, Workers: 2}
	_, e1 := bus.Serve(ctx, q.bus, bus.TakeTasks(), queue, func(ctx context.Context, r bus.TakeRequest) (bus.TakeReply, error) {
		tasks, err := q.Take(ctx, r)
		return bus.TakeReply{Tasks: tasks}, err
	})
	_, e2 := bus.Serve(ctx, q.bus, bus.BeatTasks(), queue, func(ctx context.Context, r bus.BeatRequest) (bus.BeatReply, error) {
		stop, err := q.Beat(ctx, r.Beats)
		return bus.BeatReply{Stop: stop}, err
	})
	_, e3 := bus.Serve(ctx, q.bus, bus.FinishTask(), queue, func(ctx context.Context, r bus.FinishRequest) (bus.None, error) {
		return bus.None{}, q.Finish(ctx, r)
	})
	_, e4 := bus.Serve(ctx, q.bus, bus.AnnounceSpaces(), queue, func(ctx context.Context, r bus.AnnounceRequest) (bus.AnnounceReply, error) {
		elsewhere, err := q.Announce(ctx, r)
		return bus.AnnounceReply{Elsewhere: elsewhere}, err
	})
	_, e5 := bus.Serve(ctx, q.bus, bus.SubmitTask(), queue, func(ctx context.Context, r bus.SubmitRequest) (bus.TaskReply, error) {
		if r.Kind < bus.PostInit || r.Kind > bus.PostVerify {
			return bus.TaskReply{}, bus.Errorf(bus.BadRequest, "kind %d", r.Kind)
		}
		return q.Submit(ctx, r.Kind, r.Node, r.Input, time.Duration(min(r.Left, 1<<40))*time.Millisecond, false)
	})
	_, e6 := bus.Listen(ctx, q.bus, bus.NewRows(bus.ActivationService, bus.FeedTasks), false,
		bus.Queue{Length: 16, Full: actor.DropOldest}, func(context.Context, bus.None) { q.waiting.tell() })
	return errors.Join(e1, e2, e3, e4, e5, e6)
}

// HearWork calls f whenever there may be work of a kind, until ctx ends or the
// connection drains. Calls may be lost.
func (q *Queue) HearWork(ctx context.Context, kind bus.TaskKind, f func()) error {
	_, err := bus.Listen(ctx, q.bus, bus.Work(kind.String()), false,
		bus.Queue{Length: 4, Full: actor.DropOldest}, func(context.Context, bus.None) { f() })
	return err
}

// Run reaps and delivers until ctx ends. Trouble with Postgres is logged and
// tried again.
func (q *Queue) Run(ctx context.Context) error {
	var group errgroup.Group
	group.Go(func() error { q.deliver(ctx); return nil })
	group.Go(func() error { q.reap(ctx); return nil })
	return group.Wait()
}

// reap gives tasks of lost workers to others, ends late ones, deletes old ones.
func (q *Queue) reap(ctx context.Context) {
	tick := time.NewTicker(max(q.cfg.Lost/10, 10*time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := q.Reap(ctx); err != nil && ctx.Err() == nil {
			q.log.Warn("lost workers were not looked for", "err", err)
		}
	}
}

// Abandoned gives all tasks back that somebody has. It is for a start after which no
// worker of before can be there: what they had is not waited for. A worker that is
// there all the same finds its attempt outdated.
func (q *Queue) Abandoned(ctx context.Context) error {
	if _, err := q.db.Exec(ctx, abandonedSQL); err != nil {
		return fmt.Errorf("give back abandoned tasks: %w", err)
	}
	return nil
}

// Reap looks once.
func (q *Queue) Reap(ctx context.Context) error {
	rows, err := q.db.Query(ctx, reapSQL, q.cfg.Lost.Milliseconds(), q.cfg.Keep.Milliseconds())
	if err != nil {
		return fmt.Errorf("reap: %w", err)
	}
	woken, late := make(map[bus.TaskKind]bool), false
	for rows.Next() {
		var kind int16
		var lost bool
		if err := rows.Scan(&kind, &lost); err != nil {
			return fmt.Errorf("reap: %w", err)
		}
		k := bus.TaskKind(kind)
		if lost {
			woken[k] = true
			q.metrics.ended.WithLabelValues(k.String(), "lost").Inc()
			continue
		}
		late = true
		q.metrics.ended.WithLabelValues(k.String(), "late").Inc()
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("reap: %w", err)
	}
	for k := range woken {
		q.wake(k)
	}
	if late {
		q.ended()
	}
	return q.count(ctx)
}
