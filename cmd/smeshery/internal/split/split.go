package split

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/postgres"
)

// Service is one to run, in Copies processes.
type Service struct {
	Name   string
	Copies int
}

// Config of a network that is split up.
type Config struct {
	// Dir is the data directory, which the caller has locked.
	Dir string
	// Program is the path of this program.
	Program string
	// Args are the flags of `smeshery run` that all processes have.
	Args []string
	// Own are those of one of them.
	Own      func(name string) []string
	Services []Service
	Schemas  []store.Schema
	// Tell hears what users should know.
	Tell func(format string, args ...any)
	Log  *slog.Logger
}

// Split is a network that runs.
type Split struct {
	DB  *store.DB
	Bus *bus.Conn
	// Processes by name: nats-server, consensus-1, consensus-2 …
	Processes   []*Process
	URL, NATS   string
	database    *postgres.Kept
	failed      chan struct{}
	once        sync.Once
	cancel      context.CancelFunc
	cancelNATS  context.CancelFunc
	runs, nruns sync.WaitGroup
}

// Start starts everything. The services become ready by and by.
func Start(ctx context.Context, cfg Config) (_ *Split, err error) {
	s := &Split{failed: make(chan struct{})}
	defer func() {
		if err != nil {
			s.Stop(context.WithoutCancel(ctx))
		}
	}()
	s.database, err = postgres.StartKept(ctx, postgres.Config{
		Dir: filepath.Join(cfg.Dir, "postgres"), Settings: map[string]string{"max_connections": "400"}, Log: cfg.Log,
	})
	if err != nil {
		return nil, err
	}
	s.URL = s.database.URL()
	if err := store.Migrate(ctx, s.URL, cfg.Schemas...); err != nil {
		return nil, err
	}
	if s.DB, err = store.Open(ctx, store.Config{URL: s.URL, ReadOnly: true, MaxConns: 2}); err != nil {
		return nil, err
	}
	nats, url, err := natsServer(ctx, cfg.Dir)
	if err != nil {
		return nil, err
	}
	s.NATS = url
	forever := context.WithoutCancel(ctx)
	running, cancelNATS := context.WithCancel(forever)
	s.cancelNATS = cancelNATS
	s.Processes = append(s.Processes, nats)
	s.nruns.Go(func() { nats.keep(running, cfg.Tell) })
	s.nruns.Go(func() {
		s.database.Keep(running, func(err error) {
			cfg.Tell("%v", err)
			s.once.Do(func() { close(s.failed) })
		})
	})
	if s.Bus, err = connect(ctx, url); err != nil {
		return nil, err
	}
	serving, cancel := context.WithCancel(forever)
	s.cancel = cancel
	for _, service := range cfg.Services {
		for i := range service.Copies {
			p := s.process(&cfg, service, i)
			s.Processes = append(s.Processes, p)
			s.runs.Go(func() { p.keep(serving, cfg.Tell) })
		}
	}
	return s, nil
}

func (s *Split) process(cfg *Config, service Service, i int) *Process {
	name := service.Name
	if service.Copies > 1 {
		name = fmt.Sprintf("%s-%d", service.Name, i+1)
	}
	args := append([]string{"run", "--target", service.Name, "--name", name, "--nats", s.NATS, "--database", s.URL}, cfg.Args...)
	if cfg.Own != nil {
		args = append(args, cfg.Own(name)...)
	}
	return &Process{Name: name, Path: cfg.Program, Args: args, Log: logFile(cfg.Dir, name)}
}

// Table lists the processes, a line each.
func (s *Split) Table() string {
	var b strings.Builder
	for _, p := range s.Processes {
		fmt.Fprintf(&b, "%-14s pid %-8d %s\n", p.Name, p.PID(), p.Log)
	}
	return b.String()
}

// Done is closed when the database ended and does not start again.
func (s *Split) Done() <-chan struct{} { return s.failed }

// Stop ends the services, then NATS, then the database.
func (s *Split) Stop(ctx context.Context) {
	if s.cancel != nil {
		s.cancel()
		s.runs.Wait()
	}
	if s.Bus != nil {
		s.Bus.Close()
	}
	if s.cancelNATS != nil {
		s.cancelNATS()
		s.nruns.Wait()
	}
	if s.DB != nil {
		s.DB.Close()
	}
	if s.database != nil {
		stopping, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		s.database.Stop(stopping)
	}
}
