package tasks

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/bus"
)

// waiting are those in this process who wait for tasks to end: one query asks
// for all of them.
type waiting struct {
	mu      sync.Mutex
	tasks   map[uint64][]chan bus.TaskReply
	changed chan struct{}
	kick    chan struct{}
}

func newWaiting() *waiting {
	return &waiting{
		tasks: make(map[uint64][]chan bus.TaskReply), changed: make(chan struct{}), kick: make(chan struct{}, 1),
	}
}

func (w *waiting) look() {
	select {
	case w.kick <- struct{}{}:
	default:
	}
}

// signal is closed when something may have changed.
func (w *waiting) signal() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

func (w *waiting) tell() {
	w.mu.Lock()
	close(w.changed)
	w.changed = make(chan struct{})
	w.mu.Unlock()
	w.look()
}

func (w *waiting) add(id uint64) chan bus.TaskReply {
	c := make(chan bus.TaskReply, 1)
	w.mu.Lock()
	w.tasks[id] = append(w.tasks[id], c)
	w.mu.Unlock()
	w.look()
	return c
}

func (w *waiting) remove(id uint64, c chan bus.TaskReply) {
	w.mu.Lock()
	defer w.mu.Unlock()
	rest := slices.DeleteFunc(w.tasks[id], func(o chan bus.TaskReply) bool { return o == c })
	if len(rest) == 0 {
		delete(w.tasks, id)
	} else {
		w.tasks[id] = rest
	}
}

func (w *waiting) ids() []int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]int64, 0, len(w.tasks))
	for id := range maps.Keys(w.tasks) {
		out = append(out, int64(id))
	}
	return out
}

func (w *waiting) deliver(r bus.TaskReply) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.tasks[r.ID] {
		c <- r // has room, and gets one
	}
	delete(w.tasks, r.ID)
}

// Await waits until a task has ended, or ctx.
func (q *Queue) Await(ctx context.Context, id uint64) (bus.TaskReply, error) {
	c := q.waiting.add(id)
	defer q.waiting.remove(id, c)
	select {
	case r := <-c:
		return r, nil
	case <-ctx.Done():
		return bus.TaskReply{}, ctx.Err()
	}
}

// ended tells waiters of this and other processes.
func (q *Queue) ended() {
	q.waiting.tell()
	if err := bus.NewRows(bus.ActivationService, bus.FeedTasks).Hint(q.bus, bus.None{}); err != nil {
		q.log.Debug("waiters were not told", "err", err)
	}
}

// deliver looks for the ends of awaited tasks until ctx ends.
func (q *Queue) deliver(ctx context.Context) {
	tick := time.NewTicker(q.cfg.Poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-q.waiting.kick:
		}
		if err := q.deliverOnce(ctx); err != nil && ctx.Err() == nil {
			q.log.Warn("results of tasks wait", "err", err)
		}
	}
}

func (q *Queue) deliverOnce(ctx context.Context) error {
	ids := q.waiting.ids()
	if len(ids) == 0 {
		return nil
	}
	rows, err := q.db.Query(ctx, endedSQL, ids)
	if err != nil {
		return err
	}
	replies, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r bus.TaskReply, err error) {
		var id int64
		var state int16
		err = row.Scan(&id, &state, &r.Result, &r.Text)
		r.ID, r.State = uint64(id), bus.TaskState(state)
		return r, err
	})
	for _, r := range replies {
		q.waiting.deliver(r)
	}
	return err
}
