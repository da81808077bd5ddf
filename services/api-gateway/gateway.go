package apigateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/smeshery/smeshery/services/api-gateway/internal/jsongw"
	"github.com/smeshery/smeshery/services/api-gateway/internal/live"
	"github.com/smeshery/smeshery/services/api-gateway/internal/node"
	"github.com/smeshery/smeshery/services/api-gateway/internal/serve"
	v1 "github.com/smeshery/smeshery/services/api-gateway/internal/v1"
)

// Service is one process's gateway.
type Service struct {
	cfg     Config
	deps    Deps
	node    *node.Node
	hub     *live.Hub
	metrics *serve.Metrics
	json    *jsongw.Metrics
	all     serve.Catalogue
	chosen  map[string][]serve.Service

	// addresses are where the listeners are, once they are open.
	addresses atomic.Pointer[map[string]net.Addr]
	// background is what runs beside the listeners.
	background []func(ctx context.Context) error
}

// JSON is the name of the JSON gateway among the listeners.
const JSON = "json"

// New checks what it is given; it does no I/O.
func New(cfg Config, deps Deps) (*Service, error) {
	s, err := build(cfg, deps)
	if err != nil {
		return nil, fmt.Errorf("api-gateway: %w", err)
	}
	return s, nil
}

func build(cfg Config, deps Deps) (*Service, error) {
	if err := errors.Join(cfg.Validate(), deps.setDefaults()); err != nil {
		return nil, err
	}
	s := &Service{cfg: cfg, deps: deps, chosen: make(map[string][]serve.Service)}
	var err error
	if s.metrics, err = serve.NewMetrics(deps.Registry); err != nil {
		return nil, err
	}
	if s.json, err = jsongw.NewMetrics(deps.Registry); err != nil {
		return nil, err
	}
	s.node, err = node.New(node.Config{
		Network: cfg.Network, EffectiveGenesis: cfg.EffectiveGenesis, Timeout: cfg.QueryTimeout,
	}, node.Deps{DB: deps.DB, Bus: deps.Bus, Now: deps.Now})
	if err != nil {
		return nil, err
	}
	s.hub = live.New(live.Deps{DB: deps.DB, Bus: deps.Bus, Users: v1.UserEvents(deps.DB), Log: deps.Log})
	s.background = append(s.background, s.hub.Run)
	if s.all, err = s.services(); err != nil {
		return nil, err
	}
	for _, l := range s.listeners() {
		if l.address == "" {
			continue
		}
		if s.chosen[l.name], err = s.all.Choose(l.name, l.services); err != nil {
			return nil, err
		}
	}
	if cfg.JSONListener != "" {
		if s.chosen[JSON], err = s.all.Choose(serve.Public, cfg.PublicServices); err != nil {
			return nil, err
		}
	}
	return s, nil
}

type listener struct {
	name, address string
	services      []string
}

// listeners are in the order in which they open, and the reverse of which is
// that of no promise: all stop at once.
func (s *Service) listeners() []listener {
	return []listener{
		{serve.Public, s.cfg.PublicListener, s.cfg.PublicServices},
		{serve.Private, s.cfg.PrivateListener, s.cfg.PrivateServices},
		{serve.Post, s.cfg.PostListener, s.cfg.PostServices},
		{serve.TLS, s.cfg.TLSListener, s.cfg.TLSServices},
	}
}

// Ready answers nil once all listeners are open and the bus is there.
func (s *Service) Ready() error {
	if s.addresses.Load() == nil {
		return errors.New("api-gateway: the listeners are not open")
	}
	if err := s.hub.Ready(); err != nil {
		return fmt.Errorf("api-gateway: %w", err)
	}
	return s.deps.Bus.Ready()
}

// Log passes log records on, and tells errors to NodeService.ErrorStream. A process
// that has more than this service in it gives all of them such a handler.
func (s *Service) Log(next slog.Handler) slog.Handler { return s.hub.Log(next) }

// Addr is where a listener is ("public", "private", "post", "tls", JSON); nil if
// it is off or not open yet.
func (s *Service) Addr(listener string) net.Addr {
	if all := s.addresses.Load(); all != nil {
		return (*all)[listener]
	}
	return nil
}

// runner is an open listener.
type runner interface {
	Addr() net.Addr
	Run(ctx context.Context) error
	Close()
}

// Run opens the listeners and serves until ctx ends. It returns when all it
// started has ended.
func (s *Service) Run(ctx context.Context) error {
	open, err := s.open(ctx)
	if err != nil {
		for _, r := range open {
			r.Close()
		}
		return fmt.Errorf("api-gateway: %w", err)
	}
	addresses := make(map[string]net.Addr, len(open))
	group, ctx := errgroup.WithContext(ctx)
	for name, r := range open {
		addresses[name] = r.Addr()
		group.Go(func() error { return r.Run(ctx) })
	}
	for _, f := range s.background {
		group.Go(func() error { return f(ctx) })
	}
	s.addresses.Store(&addresses)
	err = group.Wait()
	s.addresses.Store(nil)
	if err != nil {
		return fmt.Errorf("api-gateway: %w", err)
	}
	return nil
}

// open opens everything, or tells what it opened before it failed.
func (s *Service) open(ctx context.Context) (map[string]runner, error) {
	open := make(map[string]runner)
	for _, l := range s.listeners() {
		if len(s.chosen[l.name]) == 0 {
			continue
		}
		o := serve.Options{Name: l.name, Address: l.address, Limits: s.cfg.limits(), Log: s.deps.Log, Metrics: s.metrics}
		if l.name == serve.TLS {
			var err error
			if o.TLS, err = s.cfg.tls(); err != nil {
				return open, err
			}
		}
		server, err := serve.Listen(ctx, o, s.chosen[l.name])
		if err != nil {
			return open, err
		}
		open[l.name] = server
	}
	if s.cfg.JSONListener == "" {
		return open, nil
	}
	gateway, err := jsongw.Listen(ctx, jsongw.Options{
		Address: s.cfg.JSONListener, Origins: s.cfg.CORSOrigins, MaxBody: int64(s.cfg.ReceiveSize),
		Log: s.deps.Log, Metrics: s.json, Panics: s.metrics.CountPanic,
	}, s.chosen[JSON])
	if err != nil {
		return open, err
	}
	open[JSON] = gateway
	return open, nil
}
