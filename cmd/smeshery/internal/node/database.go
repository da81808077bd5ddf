package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/smeshery/smeshery/pkg/store/postgres"
)

// database is the private server, which is started again if it ends.
type database struct {
	cfg postgres.Config
	log *slog.Logger

	mu     sync.Mutex
	server *postgres.Server
}

func openDatabase(ctx context.Context, dir string, log *slog.Logger) (*database, error) {
	d := &database{cfg: postgres.Config{Dir: dir, Log: log}, log: log}
	var err error
	d.server, err = postgres.Start(ctx, d.cfg)
	if err != nil {
		return nil, err
	}
	return d, nil
}

func (d *database) current() *postgres.Server {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.server
}

func (d *database) url() string {
	s := d.current()
	return s.URL(s.Database())
}

// keep starts the server again whenever it ends, until ctx does.
func (d *database) keep(ctx context.Context, fail func(error)) {
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

func (d *database) restart(ctx context.Context, old *postgres.Server) error {
	old.Stop(ctx) // frees the directory; the server itself is gone
	var last error
	for i := range restarts {
		server, err := postgres.Start(ctx, d.cfg)
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

func (d *database) stop(ctx context.Context) { d.current().Stop(ctx) }
