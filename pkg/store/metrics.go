package store

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
)

// Limits of looking at the server.
const (
	// lookEvery is how old what is shown of the server may be.
	lookEvery = 10 * time.Second
	// lookTimeout bounds how long a scrape waits for the server.
	lookTimeout = time.Second
)

// metrics of a pool and, as far as it is seen through it, of the server.
type metrics struct {
	pool   *pgxpool.Pool
	schema string

	seconds prometheus.Histogram
	failed  *prometheus.CounterVec

	connections, limit, acquires, waited, waits, gone *prometheus.Desc
	up, size, schemaSize, server, serverLimit, oldest *prometheus.Desc

	mu     sync.Mutex
	looked time.Time
	seen   server
}

// server is what is seen of Postgres.
type server struct {
	up                 bool
	size, schema       int64
	connections, limit int64
	oldestTransaction  float64
}

func newMetrics(service string) *metrics {
	prefix := "smeshery_" + strings.ReplaceAll(service, "-", "_") + "_database_"
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prefix+name, help, labels, nil)
	}
	return &metrics{
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: prefix + "query_seconds", Help: "How long queries and batches took, reading of the rows included.",
			Buckets: prometheus.ExponentialBuckets(0.0002, 4, 9),
		}),
		failed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "query_errors_total", Help: "Queries that failed, by class of SQLSTATE; connection where the server said nothing.",
		}, []string{"class"}),
		connections: desc("connections", "Connections of the pool, by what they do.", "state"),
		limit:       desc("connections_limit", "Connections that the pool may have."),
		acquires:    desc("acquires_total", "Connections handed out."),
		waited:      desc("acquire_seconds_total", "Time that was waited for connections."),
		waits:       desc("acquire_waits_total", "Connections that were handed out after a wait."),
		gone:        desc("acquires_canceled_total", "Requests for a connection that ended without one."),
		up:          desc("up", "1 if the server answered when it was looked at last."),
		size:        desc("size_bytes", "Size of the whole database."),
		schemaSize:  desc("schema_bytes", "Size of the service's own tables with indexes."),
		server:      desc("server_connections", "Connections to the server, of everybody."),
		serverLimit: desc("server_connections_limit", "Connections that the server takes."),
		oldest:      desc("oldest_transaction_seconds", "Age of the oldest open transaction."),
	}
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	m.seconds.Describe(ch)
	m.failed.Describe(ch)
	for _, d := range []*prometheus.Desc{
		m.connections, m.limit, m.acquires, m.waited, m.waits, m.gone,
		m.up, m.size, m.schemaSize, m.server, m.serverLimit, m.oldest,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	m.seconds.Collect(ch)
	m.failed.Collect(ch)
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v)
	}
	s := m.pool.Stat()
	gauge(m.connections, float64(s.AcquiredConns()), "used")
	gauge(m.connections, float64(s.IdleConns()), "idle")
	gauge(m.connections, float64(s.ConstructingConns()), "opening")
	gauge(m.limit, float64(s.MaxConns()))
	counter(m.acquires, float64(s.AcquireCount()))
	counter(m.waited, s.AcquireDuration().Seconds())
	counter(m.waits, float64(s.EmptyAcquireCount()))
	counter(m.gone, float64(s.CanceledAcquireCount()))
	seen := m.look()
	if !seen.up {
		gauge(m.up, 0)
		return
	}
	gauge(m.up, 1)
	gauge(m.size, float64(seen.size))
	if m.schema != "" {
		gauge(m.schemaSize, float64(seen.schema))
	}
	gauge(m.server, float64(seen.connections))
	gauge(m.serverLimit, float64(seen.limit))
	gauge(m.oldest, seen.oldestTransaction)
}

const lookSQL = `SELECT pg_database_size(current_database()),
	(SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	 WHERE n.nspname = $1 AND c.relkind IN ('r', 'm')),
	(SELECT sum(numbackends)::bigint FROM pg_stat_database),
	current_setting('max_connections')::bigint,
	coalesce(extract(epoch FROM clock_timestamp() - (SELECT min(xact_start) FROM pg_stat_activity WHERE pid <> pg_backend_pid())), 0)::float8`

// look asks the server, unless it was asked a moment ago.
func (m *metrics) look() server {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := time.Now(); m.looked.IsZero() || now.Sub(m.looked) >= lookEvery {
		ctx, cancel := context.WithTimeout(context.Background(), lookTimeout)
		defer cancel()
		var s server
		err := m.pool.QueryRow(ctx, lookSQL, m.schema).Scan(&s.size, &s.schema, &s.connections, &s.limit, &s.oldestTransaction)
		s.up = err == nil
		m.looked, m.seen = now, s
	}
	return m.seen
}

// began is the key of a query's start in its context.
type began struct{}

// TraceQueryStart implements pgx.QueryTracer.
func (m *metrics) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return context.WithValue(ctx, began{}, time.Now())
}

// TraceQueryEnd implements pgx.QueryTracer.
func (m *metrics) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	m.ended(ctx, data.Err)
}

// TraceBatchStart implements pgx.BatchTracer.
func (m *metrics) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return context.WithValue(ctx, began{}, time.Now())
}

// TraceBatchQuery implements pgx.BatchTracer.
func (m *metrics) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements pgx.BatchTracer.
func (m *metrics) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchEndData) {
	m.ended(ctx, data.Err)
}

func (m *metrics) ended(ctx context.Context, err error) {
	if at, ok := ctx.Value(began{}).(time.Time); ok {
		m.seconds.Observe(time.Since(at).Seconds())
	}
	if err == nil || errors.Is(err, context.Canceled) || NotFound(err) {
		return
	}
	class := "connection"
	if code := Code(err); len(code) >= 2 {
		class = code[:2]
	}
	m.failed.WithLabelValues(class).Inc()
}
