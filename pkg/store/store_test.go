package store_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/storetest"
)

func file(sql string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(sql)} }

func schema(name string, files fstest.MapFS) store.Schema {
	return store.Schema{Name: name, Parts: []store.Part{{Name: name, Files: files}}}
}

var (
	first  = file("CREATE TABLE thing (id bytea PRIMARY KEY CHECK (octet_length(id) = 8), layer bigint NOT NULL)")
	second = file("ALTER TABLE thing ADD COLUMN note text NOT NULL DEFAULT ''")

	alpha  = schema("alpha", fstest.MapFS{"0001_init.up.sql": first})
	alpha2 = schema("alpha", fstest.MapFS{"0001_init.up.sql": first, "0002_note.up.sql": second})
	beta   = schema("beta", fstest.MapFS{"0001_init.up.sql": first})
)

func id(n int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

func TestMigrateGoesForwardAndRepeats(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t)
	require.NoError(t, store.Migrate(t.Context(), url, alpha))
	require.NoError(t, store.Migrate(t.Context(), url, alpha2))
	require.NoError(t, store.Migrate(t.Context(), url, alpha2))
	db := storetest.Open(t, url, "alpha")
	require.NoError(t, store.Check(t.Context(), db, alpha2))
	_, err := db.Exec(t.Context(), "INSERT INTO thing (id, layer, note) VALUES ($1, 1, 'x')", id(1))
	require.NoError(t, err)
}

func TestMigrateAtTheSameTime(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t)
	errs := make([]error, 6)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = store.Migrate(t.Context(), url, alpha2, beta) })
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
}

func TestCheckRefusesAnotherSchema(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t, alpha, beta)
	db := storetest.Open(t, url, "alpha")
	require.NoError(t, store.Check(t.Context(), db, alpha))
	require.ErrorIs(t, store.Check(t.Context(), db, alpha2), store.ErrSchemaTooOld)
	require.NoError(t, store.Migrate(t.Context(), url, alpha2))
	require.ErrorIs(t, store.Check(t.Context(), db, alpha), store.ErrSchemaTooNew)
	require.ErrorIs(t, store.Migrate(t.Context(), url, alpha), store.ErrSchemaTooNew)

	edited := schema("alpha", fstest.MapFS{"0001_init.up.sql": file("CREATE TABLE other (id int)"), "0002_note.up.sql": second})
	require.ErrorIs(t, store.Check(t.Context(), db, edited), store.ErrMigrationEdited)
}

func TestCheckOfAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.URL(t), "")
	require.ErrorIs(t, store.Check(t.Context(), db, alpha), store.ErrSchemaTooOld)
}

func TestAFailedMigrationLeavesNothing(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t)
	broken := schema("alpha", fstest.MapFS{"0001_init.up.sql": first, "0002_bad.up.sql": file("CREATE TABLE oops (")})
	require.ErrorContains(t, store.Migrate(t.Context(), url, broken), "0002_bad")
	require.NoError(t, store.Migrate(t.Context(), url, alpha2))
}

func TestMigrationsWantTheirNumbers(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t)
	gap := schema("alpha", fstest.MapFS{"0001_init.up.sql": first, "0003_gap.up.sql": second})
	require.ErrorContains(t, store.Migrate(t.Context(), url, gap), "0002 is due")
	require.ErrorContains(t, store.Migrate(t.Context(), url, schema("alpha", fstest.MapFS{})), "no NNNN")
	require.ErrorContains(t, store.Migrate(t.Context(), url, schema("Al;pha", nil)), "schema name")
}

func TestOnlyTheWriterWrites(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t, alpha, beta)
	db := storetest.Open(t, url, "alpha")
	_, err := db.Exec(t.Context(), "INSERT INTO thing VALUES ($1, 1)", id(1))
	require.NoError(t, err)

	const denied = "42501"
	for _, sql := range []string{
		"INSERT INTO beta.thing VALUES ('12345678', 1)",
		"DELETE FROM beta.thing",
		"DROP TABLE thing",
		"CREATE TABLE mine (n int)",
		"DELETE FROM schema_version",
	} {
		_, err := db.Exec(t.Context(), sql)
		require.Equal(t, denied, store.Code(err), sql)
	}
	var n int
	require.NoError(t, storetest.Open(t, url, "beta").QueryRow(t.Context(), "SELECT count(*) FROM alpha.thing").Scan(&n))
	require.Equal(t, 1, n)
}

func TestAReaderReads(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t, alpha)
	db, err := store.Open(t.Context(), store.Config{URL: url, Schema: "alpha", ReadOnly: true})
	require.NoError(t, err)
	defer db.Close()
	var n int
	require.NoError(t, db.QueryRow(t.Context(), "SELECT count(*) FROM thing").Scan(&n))
	_, err = db.Exec(t.Context(), "INSERT INTO thing VALUES ('12345678', 1)")
	require.Error(t, err)
}

func TestInTxCommitsOrNot(t *testing.T) {
	t.Parallel()
	db := storetest.DB(t, alpha)
	ctx := t.Context()
	insert := func(n int) func(pgx.Tx) error {
		return func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, "INSERT INTO thing VALUES ($1, 1)", id(n))
			return err
		}
	}
	require.NoError(t, store.InTx(ctx, db, insert(1)))
	stop := errors.New("stop")
	require.ErrorIs(t, store.InTx(ctx, db, func(tx pgx.Tx) error { return errors.Join(insert(2)(tx), stop) }), stop)
	require.PanicsWithValue(t, "boom", func() {
		_ = store.InTx(ctx, db, func(tx pgx.Tx) error { _ = insert(3)(tx); panic("boom") })
	})
	require.True(t, store.Duplicate(store.InTx(ctx, db, insert(1))))
	var n int
	require.NoError(t, db.QueryRow(ctx, "SELECT count(*) FROM thing").Scan(&n))
	require.Equal(t, 1, n)
	require.Zero(t, db.Stat().AcquiredConns())
}

func TestCommitOfALostConnectionIsUnknown(t *testing.T) {
	t.Parallel()
	db := storetest.DB(t, alpha)
	ctx := t.Context()
	err := store.InTx(ctx, db, func(tx pgx.Tx) error { return tx.Conn().PgConn().Conn().Close() })
	require.ErrorIs(t, err, store.ErrCommitUnknown)
}

func TestACommitThatFailedIsKnown(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t)
	deferred := schema("alpha", fstest.MapFS{"0001_init.up.sql": file("CREATE TABLE u (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)")})
	require.NoError(t, store.Migrate(t.Context(), url, deferred))
	err := store.InTx(t.Context(), storetest.Open(t, url, "alpha"), func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), "INSERT INTO u VALUES (1), (1)")
		return err
	})
	require.True(t, store.Duplicate(err))
	require.NotErrorIs(t, err, store.ErrCommitUnknown)
}

func TestRetryTxOrdersWriters(t *testing.T) {
	t.Parallel()
	db := storetest.DB(t, alpha)
	ctx := t.Context()
	_, err := db.Exec(ctx, "INSERT INTO thing VALUES ($1, 0)", id(1))
	require.NoError(t, err)
	var wg sync.WaitGroup
	errs := make([]error, 3)
	for i := range errs {
		wg.Go(func() {
			errs[i] = store.RetryTx(ctx, db, func(tx pgx.Tx) error {
				if _, err := tx.Exec(ctx, "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"); err != nil {
					return err
				}
				var n int
				if err := tx.QueryRow(ctx, "SELECT layer FROM thing").Scan(&n); err != nil {
					return err
				}
				_, err := tx.Exec(ctx, "UPDATE thing SET layer = $1", n+1)
				return err
			})
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	var n int
	require.NoError(t, db.QueryRow(ctx, "SELECT layer FROM thing").Scan(&n))
	require.Equal(t, 3, n)
}

func TestDemandDurable(t *testing.T) {
	t.Parallel()
	db := storetest.DB(t, alpha) // on a server where it is off
	require.NoError(t, store.InTx(t.Context(), db, func(tx pgx.Tx) error {
		require.NoError(t, store.DemandDurable(t.Context(), tx))
		var v string
		require.NoError(t, tx.QueryRow(t.Context(), "SHOW synchronous_commit").Scan(&v))
		require.Equal(t, "on", v)
		return nil
	}))
}

type thing struct {
	id    []byte
	layer int64
}

func things(n int) []thing {
	out := make([]thing, n)
	for i := range out {
		out[i] = thing{id(i), int64(i)}
	}
	return out
}

func copyThings(ctx context.Context, db store.Copier, rows []thing) (int64, error) {
	return store.CopyIn(ctx, db, "alpha.thing", []string{"id", "layer"}, slices.Values(rows),
		func(dst []any, r thing) []any { return append(dst, r.id, r.layer) })
}

const insertNew = `INSERT INTO thing (id, layer) SELECT * FROM unnest($1::bytea[], $2::bigint[])
	ON CONFLICT DO NOTHING RETURNING encode(id, 'hex')`

func insertThings(ctx context.Context, db store.Querier, rows []thing) (map[string]struct{}, error) {
	return store.InsertNew[string](ctx, db, insertNew,
		store.Column(rows, func(r *thing) []byte { return r.id }),
		store.Column(rows, func(r *thing) int64 { return r.layer }))
}

func TestBulkWrites(t *testing.T) {
	t.Parallel()
	db := storetest.DB(t, alpha)
	n, err := copyThings(t.Context(), db, things(1000))
	require.NoError(t, err)
	require.EqualValues(t, 1000, n)

	fresh, err := insertThings(t.Context(), db, things(1003))
	require.NoError(t, err)
	require.Len(t, fresh, 3)
	require.Contains(t, fresh, fmt.Sprintf("%x", id(1002)))

	_, err = copyThings(t.Context(), db, things(2000))
	require.True(t, store.Duplicate(err))
	var got []byte
	require.NoError(t, db.QueryRow(t.Context(), "SELECT id FROM thing WHERE layer = 77").Scan(&got))
	require.True(t, bytes.Equal(id(77), got))
}

func BenchmarkInsertNew(b *testing.B) {
	url := storetest.Server(b, b.TempDir(), nil)
	require.NoError(b, store.Migrate(b.Context(), url.URL(url.Database()), alpha))
	db := storetest.Open(b, url.URL(url.Database()), "alpha")
	const batch = 256
	n := 0
	for b.Loop() {
		rows := make([]thing, batch)
		for i := range rows {
			n++
			rows[i] = thing{id(n), int64(n)}
		}
		fresh, err := insertThings(b.Context(), db, rows)
		require.NoError(b, err)
		require.Len(b, fresh, batch)
	}
	b.ReportMetric(float64(batch*b.N)/b.Elapsed().Seconds(), "rows/s")
}
