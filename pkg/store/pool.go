package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
)

// Config says which database, and as whom.
type Config struct {
	// URL is a connection string (postgres://… or key=value). A password
	// belongs into a file that it names, or into PGPASSFILE.
	URL string
	// Schema is the service's schema: first in search_path, and the role
	// becomes its writer. Empty keeps the login's own role.
	Schema string
	// ReadOnly takes the reader's role instead.
	ReadOnly bool
	// MaxConns bounds the pool; 0 is 8.
	MaxConns int
	// ConnectTimeout bounds one attempt to connect; 0 is 5 s.
	ConnectTimeout time.Duration
	// Metrics is where the pool is measured, under the name of Service or, if
	// that is empty, of the schema; nil: nowhere.
	Metrics prometheus.Registerer
	Service string
}

// DB is a pool of connections that act as one service.
type DB struct {
	*pgxpool.Pool
	schema string
}

// Open makes a pool and proves that it can connect and take its role.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	pc, err := pgxpool.ParseConfig(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("database url: %w", err)
	}
	pc.MaxConns = 8
	if cfg.MaxConns > 0 {
		pc.MaxConns = int32(cfg.MaxConns)
	}
	pc.ConnConfig.ConnectTimeout = 5 * time.Second
	if cfg.ConnectTimeout > 0 {
		pc.ConnConfig.ConnectTimeout = cfg.ConnectTimeout
	}
	if err := cfg.actAs(pc.ConnConfig.RuntimeParams); err != nil {
		return nil, err
	}
	var measured *metrics
	if cfg.Metrics != nil {
		measured = newMetrics(cmp.Or(cfg.Service, cfg.Schema))
		pc.ConnConfig.Tracer = measured
	}
	pool, err := pgxpool.NewWithConfig(ctx, pc)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("open database: %w", err)
	}
	if measured != nil {
		measured.pool, measured.schema = pool, cfg.Schema
		if err := cfg.Metrics.Register(measured); err != nil {
			pool.Close()
			return nil, fmt.Errorf("database metrics: %w", err)
		}
	}
	return &DB{pool, cfg.Schema}, nil
}

// actAs sets the session's parameters. The role is one of them, so that a
// connection never exists without it, and RESET ALL comes back to it.
func (cfg Config) actAs(params map[string]string) error {
	if params["application_name"] == "" {
		params["application_name"] = "smeshery"
	}
	params["timezone"] = "UTC"
	switch {
	case cfg.Schema != "" && !validName(cfg.Schema):
		return fmt.Errorf("schema name %q: want lower-case letters, digits and _", cfg.Schema)
	case cfg.ReadOnly:
		params["role"] = ReaderRole
		params["default_transaction_read_only"] = "on"
	case cfg.Schema != "":
		params["role"] = WriterRole(cfg.Schema)
	}
	if cfg.Schema != "" {
		params["search_path"] = cfg.Schema
		params["application_name"] += " " + cfg.Schema
	}
	return nil
}

// Schema is the schema that the pool writes; empty for a pool without one.
func (db *DB) Schema() string { return db.schema }

// Beginner starts transactions: a *DB, a connection, or a transaction (which
// then uses a savepoint).
type Beginner interface {
	Begin(ctx context.Context) (pgx.Tx, error)
}

// ErrCommitUnknown says that the connection was lost while it committed: the
// transaction happened or did not. Whoever acts on it must look at the rows.
var ErrCommitUnknown = errors.New("it is unknown whether the transaction committed")

// InTx runs f in a transaction and commits it, or rolls back if f fails or
// panics. Errors of f come back as they are.
func InTx(ctx context.Context, db Beginner, f func(tx pgx.Tx) error) error {
	tx, err := db.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	// After a commit this does nothing. Without the caller's cancellation,
	// so that a connection is not thrown away for a missed deadline.
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if err := f(tx); err != nil {
		return err
	}
	return commit(ctx, tx)
}

func commit(ctx context.Context, tx pgx.Tx) error {
	err := tx.Commit(ctx)
	if err == nil {
		return nil
	}
	if code := Code(err); code != "" || errors.Is(err, pgx.ErrTxCommitRollback) || errors.Is(err, pgx.ErrTxClosed) {
		return fmt.Errorf("commit: %w", err) // the server, or pgx, says that it did not
	}
	return fmt.Errorf("commit: %w: %w", ErrCommitUnknown, err)
}

// retries is how often RetryTx begins.
const retries = 5

// RetryTx is InTx that begins again when Postgres could not order the
// transaction among others. f must be repeatable.
func RetryTx(ctx context.Context, db Beginner, f func(tx pgx.Tx) error) error {
	var err error
	for range retries {
		if err = InTx(ctx, db, f); !Retryable(err) || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// DemandDurable makes this transaction's commit wait until it is on disk, and on
// the synchronous standby where there is one, whatever the server's default.
func DemandDurable(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, "SET LOCAL synchronous_commit = on")
	return err
}
