package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/postgres"
)

const (
	adminDatabase  = "storetest"
	testPrefix     = "test_"
	templatePrefix = "template_"
)

// TB is what DB needs of a test or benchmark.
type TB = testing.TB

// DB returns a pool on a new database with the schemas migrated. It acts as the
// writer of the first schema; without schemas, as the superuser.
func DB(t TB, schemas ...store.Schema) *store.DB {
	t.Helper()
	first := ""
	if len(schemas) > 0 {
		first = schemas[0].Name
	}
	return Open(t, URL(t, schemas...), first)
}

// Open returns another pool on a database that URL made, acting as the writer
// of a schema. It is closed when the test ends.
func Open(t TB, url, schema string) *store.DB {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db, err := store.Open(ctx, store.Config{URL: url, Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

var serial atomic.Int64

// URL makes a new database with the schemas migrated and returns how to
// connect to it as superuser. It is dropped when the test ends.
func URL(t TB, schemas ...store.Schema) string {
	t.Helper()
	s, err := once()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	template, err := s.template(ctx, schemas)
	if err != nil {
		t.Fatal(err)
	}
	name := testPrefix + strconv.Itoa(os.Getpid()) + "_" + strconv.FormatInt(serial.Add(1), 10)
	if err := s.exec(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.exec(context.Background(), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return s.url(name)
}

// Server starts a server that belongs to this test alone, with production
// settings except those given. It ends with the test, which may also stop it.
func Server(t TB, dir string, settings map[string]string) *postgres.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	server, err := postgres.Start(ctx, postgres.Config{Dir: dir, Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Stop(context.Background()) })
	return server
}

// template returns the name of a database that has exactly these schemas.
func (s *shared) template(ctx context.Context, schemas []store.Schema) (string, error) {
	if len(schemas) == 0 {
		return "template0", nil
	}
	sum, err := fingerprint(schemas)
	if err != nil {
		return "", err
	}
	name := templatePrefix + sum
	conn, err := pgx.Connect(ctx, s.admin)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close(context.Background()) }()
	// Held until the connection closes; other binaries may want the same one.
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock(hashtextextended($1, 0))", name); err != nil {
		return "", err
	}
	var ready bool
	err = conn.QueryRow(ctx, "SELECT datistemplate FROM pg_database WHERE datname = $1", name).Scan(&ready)
	if ready {
		return name, nil
	}
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", err
	}
	for _, sql := range []string{"DROP DATABASE IF EXISTS " + name, "CREATE DATABASE " + name + " TEMPLATE template0"} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return "", err
		}
	}
	if err := store.Migrate(ctx, s.url(name), schemas...); err != nil {
		return "", err
	}
	// Marked only now: a half-migrated one is made again.
	_, err = conn.Exec(ctx, "ALTER DATABASE "+name+" IS_TEMPLATE true")
	return name, err
}

// fingerprint names the exact content of the schemas, and of how they are made.
func fingerprint(schemas []store.Schema) (string, error) {
	h := sha256.New() // writing to a hash never fails
	_, _ = fmt.Fprintln(h, "v1")
	for _, s := range schemas {
		_, _ = fmt.Fprintf(h, "schema %q\n", s.Name)
		for _, p := range s.Parts {
			_, _ = fmt.Fprintf(h, "part %q\n", p.Name)
			err := fs.WalkDir(p.Files, ".", func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				b, err := fs.ReadFile(p.Files, path)
				_, _ = fmt.Fprintf(h, "%q %x\n", path, sha256.Sum256(b))
				return err
			})
			if err != nil {
				return "", err
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:12]), nil
}

func (s *shared) exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.admin)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(ctx, sql); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}

// forgetOld drops what earlier runs left: nobody else uses the server yet.
func forgetOld(ctx context.Context, admin string) error {
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.Background()) }()
	rows, err := conn.Query(ctx, "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", testPrefix)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			return err
		}
	}
	return nil
}

func urlOf(socketDir, database string) string {
	return "postgres:///" + database + "?" + url.Values{"host": {socketDir}, "user": {"smeshery"}}.Encode()
}
