package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
)

// Config says who connects, and where to.
type Config struct {
	// Service is the name of the service: its queue group, and in the names
	// of its metrics.
	Service string
	// Server is an embedded server of this process; it goes before URL.
	Server *Server
	// URL is one or more comma-separated nats:// or tls:// addresses.
	URL string
	// CredentialsFile is a NATS .creds file; optional.
	CredentialsFile string
	// RootCAs, and CertFile with KeyFile, are PEM files for TLS; optional.
	RootCAs, CertFile, KeyFile string
	// Timeout is the deadline of requests whose context has none; 0 is 10 s.
	Timeout time.Duration
}

// Deps is what a connection uses. Both fields may be nil.
type Deps struct {
	Log     *slog.Logger
	Metrics prometheus.Registerer
}

// Conn is a service's connection to the bus. It is safe for concurrent use.
type Conn struct {
	nc      *nats.Conn
	js      jetstream.JetStream
	service string
	timeout time.Duration
	log     *slog.Logger
	metrics *metrics

	mu   sync.Mutex
	subs map[*Subscription]struct{}
}

// Connect connects, and checks that the server carries MaxPayload.
func Connect(cfg Config, deps Deps) (*Conn, error) {
	if cfg.Service == "" {
		return nil, errors.New("bus: no service name")
	}
	c := &Conn{
		service: cfg.Service,
		timeout: cfg.Timeout,
		log:     deps.Log,
		subs:    make(map[*Subscription]struct{}),
	}
	if c.timeout <= 0 {
		c.timeout = 10 * time.Second
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.metrics = newMetrics(cfg.Service, c)
	if deps.Metrics != nil {
		if err := deps.Metrics.Register(c.metrics); err != nil {
			return nil, fmt.Errorf("bus metrics of %s: %w", cfg.Service, err)
		}
	}
	nc, err := nats.Connect(cfg.URL, c.options(cfg)...)
	if err != nil {
		return nil, fmt.Errorf("connect to nats: %w", err)
	}
	if nc.MaxPayload() < MaxPayload {
		defer nc.Close()
		return nil, fmt.Errorf("connect to nats: it carries messages up to %d bytes, want max_payload: %d", nc.MaxPayload(), MaxPayload)
	}
	c.nc = nc
	if c.js, err = jetstream.New(nc); err != nil {
		nc.Close()
		return nil, fmt.Errorf("connect to nats: %w", err)
	}
	return c, nil
}

func (c *Conn) options(cfg Config) []nats.Option {
	opts := []nats.Option{
		nats.Name(cfg.Service),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
			subject := ""
			if sub != nil {
				subject = sub.Subject
			}
			c.log.Warn("nats error", "subject", subject, "err", err)
		}),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				c.log.Warn("nats is away; connecting again", "err", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) { c.log.Info("nats is back", "server", nc.ConnectedUrlRedacted()) }),
	}
	if cfg.Server != nil {
		opts = append(opts, nats.InProcessServer(cfg.Server.ns))
	}
	if cfg.CredentialsFile != "" {
		opts = append(opts, nats.UserCredentials(cfg.CredentialsFile))
	}
	if cfg.RootCAs != "" {
		opts = append(opts, nats.RootCAs(cfg.RootCAs))
	}
	if cfg.CertFile != "" {
		opts = append(opts, nats.ClientCert(cfg.CertFile, cfg.KeyFile))
	}
	return opts
}

// Service is the name this connection serves as.
func (c *Conn) Service() string { return c.service }

// Ready answers nil while the connection is up.
func (c *Conn) Ready() error {
	if s := c.nc.Status(); s != nats.CONNECTED {
		return fmt.Errorf("nats is %s", s)
	}
	return nil
}

// Drain leaves all queue groups and waits until what was queued is handled, or
// until ctx ends; then waiting messages are answered Stopping and handlers are
// cancelled. It returns when all handlers have.
func (c *Conn) Drain(ctx context.Context) {
	var wg sync.WaitGroup
	for _, s := range c.subscriptions() {
		wg.Go(func() { s.Drain(ctx) })
	}
	wg.Wait()
}

// Close drains without waiting for more than what runs, sends what is
// buffered, and disconnects.
func (c *Conn) Close() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c.Drain(ctx)
	_ = c.nc.FlushTimeout(time.Second)
	c.nc.Close()
}

func (c *Conn) subscriptions() []*Subscription {
	c.mu.Lock()
	defer c.mu.Unlock()
	subs := make([]*Subscription, 0, len(c.subs))
	for s := range c.subs {
		subs = append(subs, s)
	}
	return subs
}

// deadline gives ctx the default deadline if it has none.
func (c *Conn) deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, c.timeout)
}
