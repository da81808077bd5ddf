package source

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/wire"
)

// database is a go-spacemesh state.sql.
type database struct {
	path   string
	db     *sql.DB
	params network.Params
	counts map[Kind]int
	// queries select all rows of a kind, in order, under recordings' names.
	queries map[Kind]query
}

func openDatabase(ctx context.Context, path string, m *Manifest) (_ Source, err error) {
	d := &database{path: path, counts: make(map[Kind]int), queries: make(map[Kind]query)}
	if d.params, err = m.Params(); err != nil {
		return nil, &Error{Path: path, Err: err}
	}
	if d.db, err = sql.Open("sqlite", readOnly(path)); err != nil {
		return nil, &Error{Path: path, Err: err}
	}
	defer func() {
		if err != nil {
			_ = d.db.Close()
		}
	}()
	d.db.SetMaxOpenConns(32) // an iterator holds one for as long as it lasts
	columns, err := d.columns(ctx)
	if err != nil {
		return nil, &Error{Path: path, Err: err}
	}
	var problems []error
	for _, k := range Kinds() {
		q, err := tables()[k].query(columns)
		if err != nil {
			problems = append(problems, &Error{Path: path, Err: err})
			continue
		}
		d.queries[k] = q
		if q.rows == "" {
			continue
		}
		var n int
		if err := d.db.QueryRowContext(ctx, q.count).Scan(&n); err != nil {
			return nil, &Error{Path: path, Err: fmt.Errorf("count %s: %w", k, err)}
		}
		d.counts[k] = n
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return d, d.checkpointed(ctx, columns)
}

// readOnly opens the file for reading only. A database that its node closed in
// order is not even locked; one with a write-ahead log needs SQLite to read that.
func readOnly(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		abs = path
	}
	q := url.Values{"mode": {"ro"}, "_pragma": {"query_only(1)", "cache_size(-65536)"}}
	if st, err := os.Stat(path + "-wal"); err != nil || st.Size() == 0 {
		q.Set("immutable", "1")
	}
	return (&url.URL{Scheme: "file", Path: abs, RawQuery: q.Encode()}).String()
}

// columns reads the names of all tables' columns.
func (d *database) columns(ctx context.Context) (map[string][]string, error) {
	rows, err := d.db.QueryContext(ctx, `SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY m.name, c.cid`)
	if err != nil {
		return nil, fmt.Errorf("not a readable SQLite database: %w", err)
	}
	defer rows.Close()
	out := make(map[string][]string)
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			return nil, err
		}
		out[table] = append(out[table], column)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("not a readable SQLite database: %w", err)
	}
	return out, nil
}

// checkpointed refuses a database that began at a checkpoint: what came before
// cannot be verified again.
func (d *database) checkpointed(ctx context.Context, columns map[string][]string) error {
	if _, ok := columns["recovery"]; !ok {
		return nil
	}
	var n int
	if err := d.db.QueryRowContext(ctx, "SELECT count(*) FROM recovery").Scan(&n); err != nil {
		return &Error{Path: d.path, Err: fmt.Errorf("recovery: %w", err)}
	}
	if n > 0 {
		return &Error{Path: d.path, Err: errors.New("the node was recovered from a checkpoint; only a history from genesis can be replayed")}
	}
	return nil
}

// scan yields the rows of a kind.
func scan[T any](ctx context.Context, d *database, k Kind, read func(*fields) T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		q := d.queries[k]
		if q.rows == "" {
			return
		}
		var zero T
		rows, err := d.db.QueryContext(ctx, q.rows)
		if err != nil {
			yield(zero, &Error{Path: d.path, Err: fmt.Errorf("%s: %w", k, err)})
			return
		}
		defer rows.Close()
		values := make([]any, len(q.names))
		targets := make([]any, len(q.names))
		for i := range values {
			targets[i] = &values[i]
		}
		for n := 1; rows.Next(); n++ {
			row, err := readRow(rows, q, targets, values, Place{string(k), n}, read)
			if err != nil {
				yield(zero, &Error{Path: d.path, Err: fmt.Errorf("%s, row %d: %w", k, n, err)})
				return
			}
			if !yield(row, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(zero, &Error{Path: d.path, Err: fmt.Errorf("%s: %w", k, err)})
		}
	}
}

func readRow[T any](rows *sql.Rows, q query, targets, values []any, place Place, read func(*fields) T) (T, error) {
	f := &fields{place: place, plain: true, values: make(map[string]any, len(values))}
	if err := rows.Scan(targets...); err != nil {
		return *new(T), err
	}
	for i, name := range q.names {
		f.values[name] = values[i]
	}
	row := read(f)
	return row, f.err
}

func (d *database) Name() string           { return d.path }
func (d *database) Params() network.Params { return d.params }
func (d *database) Count(k Kind) int       { return d.counts[k] }
func (d *database) Close() error           { return d.db.Close() }

func (d *database) PoetProofs(ctx context.Context) iter.Seq2[PoetProof, error] {
	return scan(ctx, d, PoetProofs, readPoetProof)
}
func (d *database) ATXs(ctx context.Context) iter.Seq2[ATX, error] {
	return scan(ctx, d, ATXs, readATX)
}
func (d *database) ActiveSets(ctx context.Context) iter.Seq2[ActiveSet, error] {
	return scan(ctx, d, ActiveSets, readActiveSet)
}
func (d *database) Beacons(ctx context.Context) iter.Seq2[Beacon, error] {
	return scan(ctx, d, Beacons, readBeacon)
}
func (d *database) Transactions(ctx context.Context) iter.Seq2[Transaction, error] {
	return scan(ctx, d, Transactions, readTransaction)
}
func (d *database) Ballots(ctx context.Context) iter.Seq2[Ballot, error] {
	return scan(ctx, d, Ballots, readBallot)
}
func (d *database) Blocks(ctx context.Context) iter.Seq2[Block, error] {
	return scan(ctx, d, Blocks, readBlock)
}
func (d *database) Certificates(ctx context.Context) iter.Seq2[Certificate, error] {
	return scan(ctx, d, Certificates, readCertificate)
}
func (d *database) Layers(ctx context.Context) iter.Seq2[Layer, error] {
	return scan(ctx, d, Layers, readLayer)
}
func (d *database) Accounts(ctx context.Context) iter.Seq2[Account, error] {
	return scan(ctx, d, Accounts, readAccount)
}
func (d *database) Rewards(ctx context.Context) iter.Seq2[Reward, error] {
	return scan(ctx, d, Rewards, readReward)
}
func (d *database) Identities(ctx context.Context) iter.Seq2[Identity, error] {
	return scan(ctx, d, Identities, readIdentity)
}
func (d *database) Marriages(ctx context.Context) iter.Seq2[Marriage, error] {
	return scan(ctx, d, Marriages, readMarriage)
}

// Object looks an object up by its key.
func (d *database) Object(ctx context.Context, k bus.Kind, hash wire.Hash32) ([]byte, error) {
	kind, key := Kind(""), hash[:]
	switch k {
	case bus.KindATX:
		kind = ATXs
	case bus.KindPoet:
		kind = PoetProofs
	case bus.KindMalfeasance:
		kind = Identities
	case bus.KindActiveSet:
		kind = ActiveSets
	case bus.KindTransaction:
		kind = Transactions
	case bus.KindBallot:
		kind, key = Ballots, hash[:20]
	case bus.KindBlock:
		kind, key = Blocks, hash[:20]
	}
	q := d.queries[kind]
	if q.body == "" {
		return nil, nil
	}
	var body []byte
	err := d.db.QueryRowContext(ctx, q.body, key).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) && len(key) == 20 {
		err = d.db.QueryRowContext(ctx, q.body, hash[:]).Scan(&body) // ids may be padded
	}
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, &Error{Path: d.path, Err: fmt.Errorf("look up %s %s: %w", k, hash, err)}
	}
	return body, nil
}
