package gossip

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/smeshery/smeshery/pkg/actor"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/telemetry"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Config is the service's configuration.
type Config struct {
	// Remember is how long an accepted message is known as published; 0 is the
	// network's 120 s.
	Remember time.Duration
	// RememberCount bounds what is remembered; 0 is 100,000 messages.
	RememberCount int
	// Workers is how many messages of a topic are judged at a time; 0 is 64.
	Workers int
	// VoteLife is how long a vote of a round is offered to its owner when that
	// does not answer; 0 is 10 s.
	VoteLife time.Duration
	// Retry is the pause before a message that nobody judged comes again; 0 is
	// 250 ms.
	Retry time.Duration
}

// Network is where accepted messages go.
type Network interface {
	// Publish hands a message to peers. It does not wait for them.
	Publish(topic bus.GossipTopic, body []byte) error
}

// Alone is a network without peers.
type Alone struct{}

// Publish is Network.
func (Alone) Publish(bus.GossipTopic, []byte) error { return nil }

// Deps is what the service works with; Bus is needed.
type Deps struct {
	// Bus is connected as the service "gossip".
	Bus      *bus.Conn
	Log      *slog.Logger
	Registry prometheus.Registerer
	// Network is Alone if nil.
	Network Network
	// Now is the clock; nil is the system's.
	Now func() time.Time
}

// Service is one process's gossip.
type Service struct {
	cfg     Config
	deps    Deps
	seen    *seen
	metrics *metrics
	life    telemetry.Lifecycle
}

// New checks what it is given; it does no I/O.
func New(cfg Config, deps Deps) (*Service, error) {
	if deps.Bus == nil {
		return nil, errors.New("gossip: deps: Bus is needed")
	}
	cfg.setDefaults()
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	if deps.Network == nil {
		deps.Network = Alone{}
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	s := &Service{cfg: cfg, deps: deps, seen: newSeen(cfg.Remember, cfg.RememberCount)}
	var err error
	if s.metrics, err = newMetrics(deps.Registry, s.seen, deps.Bus); err != nil {
		return nil, fmt.Errorf("gossip: %w", err)
	}
	return s, nil
}

func (c *Config) setDefaults() {
	if c.Remember <= 0 {
		c.Remember = 120 * time.Second
	}
	if c.RememberCount <= 0 {
		c.RememberCount = 100_000
	}
	if c.Workers <= 0 {
		c.Workers = 64
	}
	if c.VoteLife <= 0 {
		c.VoteLife = 10 * time.Second
	}
	if c.Retry <= 0 {
		c.Retry = 250 * time.Millisecond
	}
}

// Ready answers nil while messages are taken.
func (s *Service) Ready() error {
	if err := s.life.Ready(); err != nil {
		return fmt.Errorf("gossip: %w", err)
	}
	return s.deps.Bus.Ready()
}

// Run serves until ctx ends. It returns when all that it started has ended.
func (s *Service) Run(ctx context.Context) error {
	defer s.life.Advance(telemetry.Stopped)
	group, ctx := errgroup.WithContext(ctx)
	for _, kind := range bus.Kinds() {
		q := bus.Queue{Length: 256, Full: actor.Refuse}
		if _, err := bus.Serve(ctx, s.deps.Bus, bus.Fetch(kind), q, s.fetch); err != nil {
			return fmt.Errorf("gossip: %w", err)
		}
	}
	status := bus.Queue{Length: 256, Full: actor.Refuse}
	if _, err := bus.Serve(ctx, s.deps.Bus, bus.GossipStatus(), status, s.status); err != nil {
		return fmt.Errorf("gossip: %w", err)
	}
	for _, topic := range bus.GossipTopics() {
		group.Go(func() error { return s.relay(ctx, topic) })
	}
	s.life.Advance(telemetry.Serving)
	err := group.Wait()
	s.life.Advance(telemetry.Draining)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	s.deps.Bus.Drain(drain)
	return err
}

// fetch answers for a node without peers: nobody has what is missing. It changes
// nothing.
func (s *Service) fetch(_ context.Context, r bus.FetchRequest) (bus.FetchReply, error) {
	s.metrics.unfetched.Add(float64(len(r.Hashes)))
	return bus.FetchReply{Outcomes: make([]bus.FetchOutcome, len(r.Hashes))}, nil
}

// status tells of a node without peers. It reads only.
func (s *Service) status(context.Context, bus.None) (bus.GossipReply, error) {
	return bus.GossipReply{}, nil
}

// id names a message among those seen.
type id = wire.Hash32
