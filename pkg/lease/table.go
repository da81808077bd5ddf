package lease

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/store"
)

//go:embed sql/*.up.sql
var files embed.FS

// Part is the lease table of a schema, to be listed in store.Schema.Parts.
func Part() store.Part {
	sub, err := fs.Sub(files, "sql")
	if err != nil {
		panic(err) // the directory is embedded above
	}
	return store.Part{Name: "lease", Files: sub}
}

// Term numbers a tenure of a lease; 0 is none.
type Term int64

// acquire takes those of names that are free, or that this very holder has
// without knowing it. Names are sorted by the statement, so that two holders who
// want the same ones do not deadlock.
func acquire(ctx context.Context, db store.Querier, names []string, holder string, ttl time.Duration) (map[string]Term, error) {
	return terms(db.Query(ctx, `
		INSERT INTO lease AS l (name, term, holder, expires_at)
		SELECT name, 1, $2, clock_timestamp() + make_interval(secs => $3)
		FROM unnest($1::text[]) AS name ORDER BY name
		ON CONFLICT (name) DO UPDATE
		SET term = l.term + 1, holder = excluded.holder, expires_at = excluded.expires_at
		WHERE l.expires_at <= clock_timestamp() OR l.holder = excluded.holder
		RETURNING name, term`, names, holder, ttl.Seconds()))
}

// renew prolongs what is still held under the same term, expired or not.
func renew(ctx context.Context, db store.Querier, held map[string]Term, holder string, ttl time.Duration) (map[string]Term, error) {
	names, numbers := columns(held)
	return terms(db.Query(ctx, `
		WITH mine AS (
			SELECT l.name FROM lease l
			JOIN unnest($1::text[], $2::bigint[]) AS h (name, term) USING (name, term)
			WHERE l.holder = $3 ORDER BY l.name FOR UPDATE OF l
		)
		UPDATE lease l SET expires_at = clock_timestamp() + make_interval(secs => $4)
		FROM mine WHERE l.name = mine.name
		RETURNING l.name, l.term`, names, numbers, holder, ttl.Seconds()))
}

// resign frees exactly these terms at once.
func resign(ctx context.Context, db store.Execer, held map[string]Term, holder string) error {
	names, numbers := columns(held)
	_, err := db.Exec(ctx, `
		UPDATE lease l SET expires_at = clock_timestamp()
		FROM unnest($1::text[], $2::bigint[]) AS h (name, term)
		WHERE l.name = h.name AND l.term = h.term AND l.holder = $3`, names, numbers, holder)
	return err
}

func terms(rows pgx.Rows, err error) (map[string]Term, error) {
	if err != nil {
		return nil, err
	}
	out := make(map[string]Term)
	var name string
	var term int64
	if _, err := pgx.ForEachRow(rows, []any{&name, &term}, func() error { out[name] = Term(term); return nil }); err != nil {
		return nil, fmt.Errorf("read leases: %w", err)
	}
	return out, nil
}

func columns(held map[string]Term) (names []string, numbers []int64) {
	for name, term := range held {
		names, numbers = append(names, name), append(numbers, int64(term))
	}
	return names, numbers
}
