package lease

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/smeshery/smeshery/pkg/store"
)

// Config of a holder.
type Config struct {
	// Holder is a name for people; a random suffix makes it unique, so that
	// a restarted process is never taken for its predecessor.
	Holder string
	// Instance takes the place of the random suffix where something else keeps
	// a second process away, such as the lock on a data directory: a process
	// that starts again then takes the leases of its predecessor over at once,
	// under new terms. Empty is the random suffix.
	Instance string
	// TTL is how long a lease outlives its last renewal; default 15 s.
	TTL time.Duration
	// Margin is taken off the trust window, for clocks that run unevenly and
	// for what was begun inside it; default TTL/5.
	Margin time.Duration
	// Every is the pause between rounds; default TTL/5.
	Every time.Duration
	// Max is how many leases to hold at most; 0 is no limit.
	Max int
	// Clock is SystemClock unless a test owns the time.
	Clock Clock
	// Changed is told of each change, from the goroutine of Run or Resign,
	// before anything else happens there; it must not block. May be nil. It is
	// where the audit event is made.
	Changed func(Change)
	// Metrics is where leases are measured, under the name of the schema; nil:
	// nowhere.
	Metrics prometheus.Registerer
}

// Change is the beginning or the end of a tenure.
type Change struct {
	Name string
	Term Term
	What What
}

// What happened to a lease.
type What string

const (
	// Acquired: a new tenure began.
	Acquired What = "acquired"
	// Lost: another took it, and it must be assumed that it acts already.
	Lost What = "lost"
	// Resigned: we gave it up.
	Resigned What = "resigned"
)

// Holder holds leases for one process. Its methods may be called from anywhere.
type Holder struct {
	db  *store.DB
	cfg Config
	id  string
	log *slog.Logger

	metrics metrics

	round sync.Mutex // one round, or resignation, at a time

	mu     sync.Mutex
	wanted map[string]struct{}
	held   map[string]tenure
}

type tenure struct {
	term Term
	// start of the attempt that last succeeded
	start instant
}

// New makes a holder on the lease table of the schema that db writes.
func New(db *store.DB, cfg Config, log *slog.Logger) (*Holder, error) {
	if cfg.TTL <= 0 {
		cfg.TTL = 15 * time.Second
	}
	if cfg.Margin <= 0 {
		cfg.Margin = cfg.TTL / 5
	}
	if cfg.Every <= 0 {
		cfg.Every = cfg.TTL / 5
	}
	if cfg.Clock == nil {
		cfg.Clock = SystemClock
	}
	if cfg.Every+cfg.Margin >= cfg.TTL {
		return nil, fmt.Errorf("lease: with TTL %s, margin %s and a round every %s nothing would be trusted", cfg.TTL, cfg.Margin, cfg.Every)
	}
	if cfg.Holder == "" {
		return nil, errors.New("lease: no holder name")
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if cfg.Instance == "" {
		cfg.Instance = rand.Text()
	}
	h := &Holder{
		db: db, cfg: cfg, id: cfg.Holder + "/" + cfg.Instance, log: log,
		wanted: make(map[string]struct{}), held: make(map[string]tenure),
	}
	return h, h.measure()
}

// Want adds names to those that the holder tries to hold.
func (h *Holder) Want(names ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, name := range names {
		h.wanted[name] = struct{}{}
	}
}

// Term is the tenure of a lease, inside its trust window. Without one, or
// outside it, the answer is false and nothing may be done that it guards.
func (h *Holder) Term(name string) (Term, bool) {
	now := h.cfg.Clock.read()
	h.mu.Lock()
	defer h.mu.Unlock()
	t, ok := h.held[name]
	if !ok || now.since(t.start) >= h.cfg.TTL-h.cfg.Margin {
		return 0, false
	}
	return t.term, true
}

// Held lists the leases inside their trust windows, with their terms.
func (h *Holder) Held() map[string]Term {
	now := h.cfg.Clock.read()
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make(map[string]Term, len(h.held))
	for name, t := range h.held {
		if now.since(t.start) < h.cfg.TTL-h.cfg.Margin {
			out[name] = t.term
		}
	}
	return out
}

// Run renews and acquires until ctx ends. It does not resign: whoever stops
// first ends what the leases guard, and then calls Resign. Trouble with Postgres
// is logged and tried again.
func (h *Holder) Run(ctx context.Context) error {
	tick := time.NewTicker(h.cfg.Every)
	defer tick.Stop()
	for {
		if err := h.Round(ctx); err != nil && ctx.Err() == nil {
			h.metrics.failed.Inc()
			h.log.Warn("leases were not renewed", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Round renews what is held and tries for what is wanted, once. A round that
// takes longer than the window it would win is given up.
func (h *Holder) Round(ctx context.Context) error {
	h.round.Lock()
	defer h.round.Unlock()
	ctx, cancel := context.WithTimeout(ctx, h.cfg.TTL-h.cfg.Margin)
	defer cancel()
	return errors.Join(h.renew(ctx), h.acquire(ctx))
}

func (h *Holder) renew(ctx context.Context) error {
	held := h.tenures()
	if len(held) == 0 {
		return nil
	}
	start := h.cfg.Clock.read()
	kept, err := renew(ctx, h.db, held, h.id, h.cfg.TTL)
	if err != nil {
		return fmt.Errorf("renew leases: %w", err)
	}
	var changes []Change
	h.mu.Lock()
	for name, term := range held {
		if _, ok := kept[name]; ok {
			h.held[name] = tenure{term, start}
			continue
		}
		delete(h.held, name)
		changes = append(changes, Change{name, term, Lost})
	}
	h.mu.Unlock()
	h.tell(changes)
	return nil
}

func (h *Holder) acquire(ctx context.Context) error {
	names := h.open()
	if len(names) == 0 {
		return nil
	}
	start := h.cfg.Clock.read()
	won, err := acquire(ctx, h.db, names, h.id, h.cfg.TTL)
	if err != nil {
		return fmt.Errorf("acquire leases: %w", err)
	}
	var changes []Change
	h.mu.Lock()
	for name, term := range won {
		h.held[name] = tenure{term, start}
		changes = append(changes, Change{name, term, Acquired})
	}
	h.mu.Unlock()
	h.tell(changes)
	return nil
}

// Resign gives leases up so that others need not wait for the TTL; without
// names, all of them. They are no longer held here even if it fails, nor tried for
// again until they are wanted again.
func (h *Holder) Resign(ctx context.Context, names ...string) error {
	h.round.Lock()
	defer h.round.Unlock()
	h.mu.Lock()
	if len(names) == 0 {
		names = slices.Collect(maps.Keys(h.held))
		clear(h.wanted)
	}
	given := make(map[string]Term)
	var changes []Change
	for _, name := range names {
		delete(h.wanted, name)
		if t, ok := h.held[name]; ok {
			delete(h.held, name)
			given[name] = t.term
			changes = append(changes, Change{name, t.term, Resigned})
		}
	}
	h.mu.Unlock()
	h.tell(changes)
	if len(given) == 0 {
		return nil
	}
	if err := resign(ctx, h.db, given, h.id); err != nil {
		return fmt.Errorf("resign leases: %w", err)
	}
	return nil
}

func (h *Holder) tenures() map[string]Term {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make(map[string]Term, len(h.held))
	for name, t := range h.held {
		out[name] = t.term
	}
	return out
}

// open lists what is wanted and not held, up to what may be held.
func (h *Holder) open() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var names []string
	for name := range h.wanted {
		if h.cfg.Max > 0 && len(h.held)+len(names) >= h.cfg.Max {
			break
		}
		if _, ok := h.held[name]; !ok {
			names = append(names, name)
		}
	}
	return names
}

func (h *Holder) tell(changes []Change) {
	slices.SortFunc(changes, func(a, b Change) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	for _, c := range changes {
		h.metrics.changes.WithLabelValues(string(c.What)).Inc()
		if c.What == Lost {
			h.log.Warn("lease", "lease", c.Name, "term", c.Term, "what", string(c.What))
		} else {
			h.log.Info("lease", "lease", c.Name, "term", c.Term, "what", string(c.What))
		}
		if h.cfg.Changed != nil {
			h.cfg.Changed(c)
		}
	}
}
