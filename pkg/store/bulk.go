package store

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Copier is what CopyIn needs: a *DB, a connection or a transaction.
type Copier interface {
	CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, src pgx.CopyFromSource) (int64, error)
}

// CopyIn streams rows into a table with COPY: the fastest way in, but a single
// row that violates a constraint fails all. fill appends one row's values, in the
// order of columns, to a slice that is reused.
func CopyIn[T any](ctx context.Context, db Copier, table string, columns []string, rows iter.Seq[T], fill func(dst []any, row T) []any) (int64, error) {
	next, stop := iter.Pull(rows)
	defer stop()
	buf := make([]any, 0, len(columns))
	n, err := db.CopyFrom(ctx, strings.Split(table, "."), columns, pgx.CopyFromFunc(func() ([]any, error) {
		row, ok := next()
		if !ok {
			return nil, nil
		}
		buf = fill(buf[:0], row)
		return buf, nil
	}))
	if err != nil {
		return n, fmt.Errorf("copy into %s: %w", table, err)
	}
	return n, nil
}

// Column turns one field of many rows into the array that unnest takes:
//
//	INSERT INTO atx (id, layer)
//	SELECT * FROM unnest($1::bytea[], $2::bigint[])
//	ON CONFLICT DO NOTHING RETURNING id
//
// One such statement has one plan, one round trip and, unlike COPY, a say about
// conflicts: what RETURNING leaves out was there before.
func Column[T, V any](rows []T, field func(*T) V) []V {
	out := make([]V, len(rows))
	for i := range rows {
		out[i] = field(&rows[i])
	}
	return out
}

// Execer runs statements: a *DB, a connection or a transaction.
type Execer interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// Querier runs queries: a *DB, a connection or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// InsertNew runs an INSERT … ON CONFLICT DO NOTHING RETURNING key and answers
// the keys that were new.
func InsertNew[K comparable](ctx context.Context, db Querier, sql string, args ...any) (map[K]struct{}, error) {
	rows, err := db.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	keys, err := pgx.CollectRows(rows, pgx.RowTo[K])
	if err != nil {
		return nil, err
	}
	fresh := make(map[K]struct{}, len(keys))
	for _, k := range keys {
		fresh[k] = struct{}{}
	}
	return fresh, nil
}
