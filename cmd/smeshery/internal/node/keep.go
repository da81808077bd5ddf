package node

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/telemetry"
)

// pollReady is how often a starting service is asked whether it is ready.
const pollReady = 5 * time.Millisecond

// maxPause bounds the pause before a service is started again.
const maxPause = 10 * time.Second

// keep runs a service, again and again, until ctx ends. ready is closed when it
// was ready for the first time; an error before that is taken as final, unless it
// is the database that is away.
func (n *Node) keep(ctx context.Context, m module, ready chan struct{}) {
	first := true
	pause := 100 * time.Millisecond
	for ctx.Err() == nil {
		began := time.Now()
		err := n.run(ctx, m, func() {
			if first {
				close(ready)
				first = false
			}
		})
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("it ended by itself")
		}
		if final(err) || first && !away(err) {
			n.fail(fmt.Errorf("service %s: %w", m.name, err))
			return
		}
		if time.Since(began) > time.Minute {
			pause = 100 * time.Millisecond
		}
		n.log.Warn("a service ended and is started again", "service", m.name, "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, maxPause)
	}
}

// run is one life of a service. isReady is called at most once, before run returns.
func (n *Node) run(ctx context.Context, m module, isReady func()) error {
	w := wiring{log: n.logOf(m.name), levels: n.levels, registry: telemetry.NewRegistry(), pow: n.pow}
	var err error
	if !m.noDatabase {
		conns := store.Config{URL: n.url, Schema: m.schema.Name, ReadOnly: m.schema.Name == "", MaxConns: 16, Metrics: w.registry, Service: m.name}
		if n.cfg.Live != nil {
			conns.MaxConns = n.cfg.Live.connections()
		}
		if w.db, err = store.Open(ctx, conns); err != nil {
			return err
		}
		defer w.db.Close()
	}
	if m.schema.Name != "" {
		if err := store.Check(ctx, w.db, m.schema); err != nil {
			return err
		}
	}
	w.bus, err = bus.Connect(bus.Config{Service: m.name, Server: n.server, URL: n.cfg.NATSURL}, bus.Deps{Log: w.log, Metrics: w.registry})
	if err != nil {
		return err
	}
	defer w.bus.Close()
	s, err := m.build(n.cfg, w)
	if err != nil {
		return err
	}
	n.register(m.name, running{s, w.registry})
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	return await(s, ended, isReady)
}

func await(s service, ended <-chan error, isReady func()) error {
	tick := time.NewTicker(pollReady)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-tick.C:
			if s.Ready() == nil {
				isReady()
				return <-ended
			}
		}
	}
}

func (n *Node) register(name string, r running) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.running[name] = r
}

// final are errors that starting again does not cure.
func final(err error) bool {
	for _, e := range []error{store.ErrSchemaTooNew, store.ErrSchemaTooOld, store.ErrMigrationEdited} {
		if errors.Is(err, e) {
			return true
		}
	}
	return Full(err)
}

// Full tells whether a disk is full: Postgres's disk_full, or the system's text
// where an error came over the bus.
func Full(err error) bool {
	return err != nil && (store.Code(err) == "53100" || strings.Contains(err.Error(), "No space left on device") ||
		strings.Contains(err.Error(), "no space left on device"))
}

// away tells whether an error is about the connection to Postgres, which may
// come back.
func away(err error) bool {
	switch store.Code(err) {
	case "57P01", "57P02", "57P03", "08000", "08003", "08006": // shutting down, starting up, connection lost
		return true
	case "":
		text := err.Error()
		return strings.Contains(text, "failed to connect") || strings.Contains(text, "unexpected EOF") ||
			strings.Contains(text, "connection refused") || strings.Contains(text, "conn closed")
	}
	return false
}
