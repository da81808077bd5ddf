package postworker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/smeshery/smeshery/pkg/actor"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/telemetry"
)

// errStopping ends tasks when the worker does; they go back at once.
var errStopping = errors.New("the worker stops")

// lane is a bounded number of tasks of some kinds: making data, which takes days,
// must not keep proofs waiting.
type lane struct {
	kinds []bus.TaskKind
	slots int
	wake  chan struct{}
}

// Run works until ctx ends; then tasks are stopped and go back to the queue. It
// returns when all that it started has ended.
func (s *Service) Run(ctx context.Context) error {
	defer s.life.Advance(telemetry.Stopped)
	if s.own != nil {
		defer s.own.Close()
	}
	if s.cfg.DataDir != "" {
		d, err := openDisk(s.cfg.DataDir)
		if err != nil {
			return fmt.Errorf("post-worker: %w", err)
		}
		s.disk = d
	}
	s.life.Advance(telemetry.Recovering)
	lanes := s.lanes()
	if err := s.listen(ctx, lanes); err != nil {
		return fmt.Errorf("post-worker: %w", err)
	}
	// Beats go on until the last task has ended.
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var beats, work sync.WaitGroup
	beats.Go(func() { s.beat(background) })
	s.introduce(ctx)
	for _, l := range lanes {
		work.Go(func() { s.work(ctx, background, l) })
	}
	if ctx.Err() == nil {
		s.life.Advance(telemetry.Serving)
		s.deps.Log.Info("post-worker takes tasks", "worker", s.name, "dir", s.cfg.DataDir, "threads", s.cfg.Threads)
	}
	<-ctx.Done()
	s.life.Advance(telemetry.Draining)
	s.running.stopAll(errStopping)
	work.Wait()
	stop()
	beats.Wait()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	s.deps.Bus.Drain(drain)
	return nil
}

func (s *Service) lanes() []*lane {
	var lanes []*lane
	add := func(slots int, kinds ...bus.TaskKind) {
		kinds = slices.DeleteFunc(kinds, func(k bus.TaskKind) bool { return !slices.Contains(s.cfg.Kinds, k) })
		if len(kinds) > 0 {
			lanes = append(lanes, &lane{kinds: kinds, slots: slots, wake: make(chan struct{}, 1)})
		}
	}
	add(s.cfg.Inits, bus.PostInit)
	add(s.cfg.Proofs, bus.PostProve, bus.K2Pow, bus.PostVerify)
	return lanes
}

func (s *Service) listen(ctx context.Context, lanes []*lane) error {
	for _, l := range lanes {
		for _, kind := range l.kinds {
			_, err := bus.Listen(ctx, s.deps.Bus, bus.Work(kind.String()), false,
				bus.Queue{Length: 4, Full: actor.DropOldest}, func(context.Context, bus.None) { l.look() })
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *lane) look() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// introduce announces the disk until the queue has heard it.
func (s *Service) introduce(ctx context.Context) {
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		err := s.announce(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		s.deps.Log.Warn("the queue does not know the data yet", "err", err)
		sleep(ctx, pause)
	}
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// work takes tasks while the lane has room. Tasks run under background, so that
// they can go back in order.
func (s *Service) work(ctx, background context.Context, l *lane) {
	var tasks sync.WaitGroup
	defer tasks.Wait()
	free := make(chan struct{}, l.slots)
	for range l.slots {
		free <- struct{}{}
	}
	poll := time.NewTicker(s.cfg.Poll)
	defer poll.Stop()
	for ctx.Err() == nil {
		if room := len(free); room > 0 {
			for _, t := range s.take(ctx, l, room) {
				<-free
				tasks.Go(func() {
					s.do(background, &t)
					free <- struct{}{}
					l.look()
				})
			}
		}
		select {
		case <-ctx.Done():
		case <-l.wake:
		case <-poll.C:
		}
	}
}

func (s *Service) take(ctx context.Context, l *lane, room int) []bus.Task {
	r := bus.TakeRequest{Worker: s.name, Kinds: l.kinds, Max: uint32(room)}
	if s.disk != nil {
		r.Store = s.disk.name
	}
	reply, err := bus.TakeTasks().Call(ctx, s.deps.Bus, r)
	if err != nil && ctx.Err() == nil {
		s.deps.Log.Debug("no tasks were taken", "err", err)
	}
	return reply.Tasks
}
