package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/store"
)

// Publisher gives messages to their streams: *bus.Conn.
type Publisher interface {
	// Store answers an error for each message; nil says that its stream has it.
	Store(ctx context.Context, messages []bus.Stored) []error
}

// Config of a relay. Zero values take the defaults.
type Config struct {
	// Poll is how often the relay looks without being woken; default 2 s.
	Poll time.Duration
	// Batch is how many rows it publishes at a time; default 256.
	Batch int
	// Keep is how long sent rows stay; default 1 h.
	Keep time.Duration
}

// Relay publishes one service's outbox.
type Relay struct {
	db   *store.DB
	to   Publisher
	cfg  Config
	log  *slog.Logger
	wake chan struct{}

	waiting   atomic.Int64
	oldest    atomic.Int64 // unix nanoseconds of the oldest waiting row, 0 if none
	published prometheus.Counter
	failed    prometheus.Counter
}

// New makes a relay for the schema that db writes. metrics may be nil.
func New(db *store.DB, to Publisher, cfg Config, log *slog.Logger, metrics prometheus.Registerer) (*Relay, error) {
	if cfg.Poll <= 0 {
		cfg.Poll = 2 * time.Second
	}
	if cfg.Batch <= 0 {
		cfg.Batch = 256
	}
	if cfg.Keep <= 0 {
		cfg.Keep = time.Hour
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	r := &Relay{db: db, to: to, cfg: cfg, log: log, wake: make(chan struct{}, 1)}
	return r, r.register(metrics)
}

func (r *Relay) register(metrics prometheus.Registerer) error {
	prefix := "smeshery_" + strings.ReplaceAll(r.db.Schema(), "-", "_") + "_outbox_"
	gauge := func(name, help string, f func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: prefix + name, Help: help}, f)
	}
	r.published = prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + "published_total", Help: "Messages that a stream took."})
	r.failed = prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + "failed_total", Help: "Attempts to publish that failed."})
	if metrics == nil {
		return nil
	}
	for _, c := range []prometheus.Collector{
		r.published, r.failed,
		gauge("length", "Rows that wait, at most one batch more than counted.", func() float64 { return float64(r.waiting.Load()) }),
		gauge("oldest_seconds", "Age of the row that waits longest.", r.age),
	} {
		if err := metrics.Register(c); err != nil {
			return fmt.Errorf("outbox metrics: %w", err)
		}
	}
	return nil
}

func (r *Relay) age() float64 {
	at := r.oldest.Load()
	if at == 0 {
		return 0
	}
	return time.Since(time.Unix(0, at)).Seconds()
}

// Wake tells the relay that rows were committed. It never blocks.
func (r *Relay) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run relays until ctx ends. Trouble with Postgres or NATS is logged and tried
// again; it is never a reason to return.
func (r *Relay) Run(ctx context.Context) error {
	poll := time.NewTicker(r.cfg.Poll)
	defer poll.Stop()
	var pruned time.Time
	for {
		if _, err := r.Flush(ctx); err != nil && ctx.Err() == nil {
			r.log.Warn("outbox waits", "schema", r.db.Schema(), "err", err)
		}
		if time.Since(pruned) > r.cfg.Keep/10 {
			pruned = time.Now()
			if err := r.prune(ctx); err != nil && ctx.Err() == nil {
				r.log.Warn("sent messages stay in the outbox", "schema", r.db.Schema(), "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-r.wake:
		case <-poll.C:
		}
	}
}

// Flush publishes what waits now, and answers how many messages went out. Run
// calls it; a service that stops calls it once more to leave nothing behind.
func (r *Relay) Flush(ctx context.Context) (int, error) {
	sent, after := 0, int64(0)
	for {
		rows, err := r.read(ctx, after)
		if err != nil || len(rows) == 0 {
			return sent, err
		}
		after = rows[len(rows)-1].id
		n, err := r.publish(ctx, rows)
		sent += n
		if err != nil {
			return sent, err
		}
	}
}

type row struct {
	id      int64
	subject string
	body    []byte
	created time.Time
}

// read takes the next rows. A pass goes over every waiting row once, so that
// one that is refused neither stops the pass nor makes it endless.
func (r *Relay) read(ctx context.Context, after int64) ([]row, error) {
	found, err := r.db.Query(ctx, `SELECT id, subject, body, created_at FROM outbox
		WHERE sent_at IS NULL AND id > $1 ORDER BY id LIMIT $2`, after, r.cfg.Batch)
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	rows, err := pgx.CollectRows(found, func(f pgx.CollectableRow) (m row, err error) {
		err = f.Scan(&m.id, &m.subject, &m.body, &m.created)
		return
	})
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	if after == 0 {
		r.waiting.Store(int64(len(rows)))
		r.oldest.Store(0)
		if len(rows) > 0 {
			r.oldest.Store(rows[0].created.UnixNano())
		}
	}
	return rows, nil
}

func (r *Relay) publish(ctx context.Context, rows []row) (int, error) {
	messages := make([]bus.Stored, len(rows))
	for i, m := range rows {
		messages[i] = bus.Stored{
			ID:       r.db.Schema() + "." + strconv.FormatInt(m.id, 10),
			Outgoing: bus.Outgoing{Subject: m.subject, Body: m.body},
		}
	}
	errs := r.to.Store(ctx, messages)
	sent := make([]int64, 0, len(rows))
	for i, err := range errs {
		if err == nil {
			sent = append(sent, rows[i].id)
		}
	}
	r.failed.Add(float64(len(rows) - len(sent)))
	if len(sent) > 0 {
		// Published is published: mark it even if the service stops now.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if _, err := r.db.Exec(ctx, "UPDATE outbox SET sent_at = now() WHERE id = ANY($1)", sent); err != nil {
			return 0, fmt.Errorf("mark outbox: %w", err)
		}
		r.published.Add(float64(len(sent)))
		r.waiting.Add(-int64(len(sent)))
	}
	if len(sent) == 0 && (ctx.Err() != nil || errors.Is(errs[0], bus.Unavailable) || errors.Is(errs[0], bus.Late)) {
		return 0, errs[0] // nothing gets through: no use in going on
	}
	if err := errors.Join(errs...); err != nil {
		r.log.Warn("messages were refused and stay", "schema", r.db.Schema(), "count", len(rows)-len(sent), "err", err)
	}
	return len(sent), nil
}

func (r *Relay) prune(ctx context.Context) error {
	_, err := r.db.Exec(ctx, "DELETE FROM outbox WHERE sent_at < now() - make_interval(secs => $1)", r.cfg.Keep.Seconds())
	return err
}
