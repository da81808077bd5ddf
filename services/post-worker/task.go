package postworker

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
)

// errNotOurs ends a task whose result nobody takes any more.
var errNotOurs = errors.New("the task was cancelled, is late, or another worker has it")

// running are the tasks that this process works on.
type running struct {
	mu      sync.Mutex
	tasks   map[uint64]*job
	stopped error
}

func newRunning() *running { return &running{tasks: make(map[uint64]*job)} }

// job is a task that is worked on.
type job struct {
	task        *bus.Task
	cancel      context.CancelCauseFunc
	done, total atomic.Uint64
	stopped     atomic.Bool
}

// stop ends the work at its next batch.
func (j *job) stop(cause error) {
	j.cancel(cause)
	j.stopped.Store(true)
}

// add is false for a task that an earlier attempt of this process still works on.
func (r *running) add(j *job) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.tasks[j.task.ID]; ok {
		return false
	}
	r.tasks[j.task.ID] = j
	if r.stopped != nil {
		j.stop(r.stopped)
	}
	return true
}

func (r *running) remove(j *job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.tasks, j.task.ID)
}

func (r *running) stopAll(cause error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = cause
	for _, j := range r.tasks {
		j.stop(cause)
	}
}

func (r *running) stop(id uint64, cause error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if j, ok := r.tasks[id]; ok {
		j.stop(cause)
	}
}

func (r *running) beats() []bus.Beat {
	r.mu.Lock()
	defer r.mu.Unlock()
	beats := make([]bus.Beat, 0, len(r.tasks))
	for id, j := range r.tasks {
		beats = append(beats, bus.Beat{ID: id, Attempt: j.task.Attempt, Done: j.done.Load(), Total: j.total.Load()})
	}
	return beats
}

// beat says what runs, and stops what is not wanted.
func (s *Service) beat(ctx context.Context) {
	tick := time.NewTicker(s.cfg.Beat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		beats := s.running.beats()
		if len(beats) == 0 {
			continue
		}
		r, err := bus.BeatTasks().Call(ctx, s.deps.Bus, bus.BeatRequest{Beats: beats})
		if err != nil {
			s.deps.Log.Debug("the queue did not hear of running tasks", "err", err)
			continue
		}
		for _, id := range r.Stop {
			s.running.stop(id, errNotOurs)
		}
	}
}

// setback is an error after which a task comes again: it says when, and whether
// another disk may have it.
type setback struct {
	error
	after   time.Duration
	release bool
}

func (b *setback) Unwrap() error { return b.error }

// do works on a task and finishes it.
func (s *Service) do(ctx context.Context, t *bus.Task) {
	work, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if t.Left > 0 {
		var end context.CancelFunc
		work, end = context.WithTimeoutCause(work, time.Duration(t.Left)*time.Millisecond, errNotOurs)
		defer end()
	}
	j := &job{task: t, cancel: cancel}
	if !s.running.add(j) {
		return // lost for a while, and found again: it will be given out once more
	}
	kind := t.Kind.String()
	log := s.deps.Log.With("kind", kind, "smesher", t.Node, "task", t.ID)
	s.metrics.running.WithLabelValues(kind).Inc()
	began := time.Now()
	result, err := s.guarded(work, j)
	s.metrics.running.WithLabelValues(kind).Dec()
	s.metrics.seconds.WithLabelValues(kind).Observe(time.Since(began).Seconds())
	end := ending(t, result, err, context.Cause(work))
	s.metrics.tasks.WithLabelValues(kind, outcome(end)).Inc()
	if end == nil {
		s.running.remove(j)
		log.Info("task is not wanted any more", "took", time.Since(began))
		return
	}
	switch end.Outcome {
	case bus.TaskDone:
		log.Debug("task is done", "took", time.Since(began))
	case bus.TaskFailed:
		log.Error("task failed", "err", err)
	default:
		log.Warn("task goes back", "err", err, "again_after", time.Duration(end.Delay)*time.Millisecond)
	}
	s.finish(ctx, j, end)
	s.running.remove(j)
}

func outcome(end *bus.FinishRequest) string {
	if end == nil {
		return "dropped"
	}
	return map[bus.TaskOutcome]string{bus.TaskDone: "done", bus.TaskFailed: "failed", bus.TaskBack: "back"}[end.Outcome]
}

// ending is what the queue is told, or nil for nothing.
func ending(t *bus.Task, result codec.Coded, err, cause error) *bus.FinishRequest {
	end := &bus.FinishRequest{ID: t.ID, Attempt: t.Attempt, Outcome: bus.TaskFailed}
	back, isBack := errors.AsType[*setback](err)
	switch {
	case err == nil:
		end.Outcome, end.Result = bus.TaskDone, codec.MustEncode(result)
		return end
	case errors.Is(cause, errNotOurs):
		return nil
	case errors.Is(cause, errStopping):
		end.Outcome, err = bus.TaskBack, errStopping
	case isBack:
		end.Outcome, end.Delay, end.Release = bus.TaskBack, uint64(back.after.Milliseconds()), back.release
	}
	end.Text = err.Error()
	if len(end.Text) > 1000 {
		end.Text = end.Text[:1000]
	}
	return end
}

// guarded turns a panic into an error.
func (s *Service) guarded(ctx context.Context, j *job) (result codec.Coded, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.deps.Log.Error("task panicked", "panic", p, "stack", string(debug.Stack()))
			err = &setback{error: fmt.Errorf("panic: %v", p), after: s.cfg.Retry}
		}
	}()
	switch j.task.Kind {
	case bus.PostInit:
		return s.initialize(ctx, j)
	case bus.PostProve:
		return s.prove(ctx, j)
	case bus.K2Pow:
		return s.solve(ctx, j)
	case bus.PostVerify:
		return s.verify(j)
	}
	return nil, fmt.Errorf("kind %d is unknown", j.task.Kind)
}

// finish tells the queue until it has answered, or the process ends: then the
// queue takes the worker for lost.
func (s *Service) finish(ctx context.Context, j *job, end *bus.FinishRequest) {
	if end.Outcome == bus.TaskBack && end.Text == errStopping.Error() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
	}
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		_, err := bus.FinishTask().Call(ctx, s.deps.Bus, *end)
		switch {
		case err == nil:
			return
		case errors.Is(err, bus.Conflict), errors.Is(err, bus.BadRequest):
			s.deps.Log.Info("the result is not wanted any more", "task", j.task.ID, "err", err)
			return
		case ctx.Err() != nil, s.stopping():
			s.deps.Log.Warn("the queue was not told how a task ended; it comes again", "task", j.task.ID, "err", err)
			return
		}
		s.deps.Log.Warn("the queue was not told yet how a task ended", "task", j.task.ID, "err", err)
		sleep(ctx, pause)
	}
}

func (s *Service) stopping() bool {
	s.running.mu.Lock()
	defer s.running.mu.Unlock()
	return s.running.stopped != nil
}
