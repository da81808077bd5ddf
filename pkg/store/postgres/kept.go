package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Kept is a private server that is started again, on the same socket, whenever it
// ends.
type Kept struct {
	cfg Config
	log *slog.Logger

	mu     sync.Mutex
	server *Server
}

// StartKept starts a server. Keep must be called to have it started again.
func StartKept(ctx context.Context, cfg Config) (*Kept, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	server, err := Start(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return &Kept{cfg: cfg, log: cfg.Log, server: server}, nil
}

func (d *Kept) current() *Server {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.server
}

// URL is that of the server's database.
func (d *Kept) URL() string {
	s := d.current()
	return s.URL(s.Database())
}

// Keep starts the server again whenever it ends, until ctx does. fail is called
// once if that is not possible.
func (d *Kept) Keep(ctx context.Context, fail func(error)) {
	for {
		server := d.current()
		select {
		case <-ctx.Done():
			return
		case <-server.Done():
		}
		d.log.Warn("the database ended and is started again", "err", server.Err())
		old := server.URL("")
		if err := d.restart(ctx, server); err != nil {
			if ctx.Err() == nil {
				fail(fmt.Errorf("the database ended and does not start again: %w", err))
			}
			return
		}
		if d.current().URL("") != old {
			fail(errors.New("the database moved to another socket; start again"))
			return
		}
		d.log.Info("the database is back")
	}
}

// restarts is how often a start is tried, a growing pause apart.
const restarts = 8

func (d *Kept) restart(ctx context.Context, old *Server) error {
	old.Stop(ctx) // frees the directory; the server itself is gone
	var last error
	for i := range restarts {
		server, err := Start(ctx, d.cfg)
		if err == nil {
			d.mu.Lock()
			d.server = server
			d.mu.Unlock()
			return nil
		}
		last = err
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(min(time.Second<<i, 30*time.Second)):
		}
	}
	return last
}

// Stop ends the server; Keep has to have returned.
func (d *Kept) Stop(ctx context.Context) { d.current().Stop(ctx) }
