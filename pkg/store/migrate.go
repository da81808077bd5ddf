package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"
)

// Schema is everything a service keeps in Postgres.
type Schema struct {
	// Name of the Postgres schema.
	Name string
	// Parts in the order in which they migrate.
	Parts []Part
}

// Part is a set of tables with migrations of its own: the service's, or a
// library's such as the outbox. Its SQL names no schema.
type Part struct {
	// Name is unique within the schema.
	Name string
	// Files holds NNNN_name.up.sql, numbered from 0001 without gaps.
	Files fs.FS
}

// Errors of Check and Migrate.
var (
	// ErrSchemaTooOld: run `smeshery migrate`.
	ErrSchemaTooOld = errors.New("the database schema is older than this program; run smeshery migrate")
	// ErrSchemaTooNew: a newer release has migrated; this program must not write.
	ErrSchemaTooNew = errors.New("the database schema is newer than this program; use the newer release")
	// ErrMigrationEdited: a released file is not what was applied.
	ErrMigrationEdited = errors.New("a migration differs from what was applied")
)

type migration struct {
	version int
	name    string
	sql     string
	sum     string
}

var migrationName = regexp.MustCompile(`^(\d{4})_([a-z0-9_]+)\.up\.sql$`)

// migrations reads and checks a part's files.
func (p Part) migrations() ([]migration, error) {
	entries, err := fs.ReadDir(p.Files, ".")
	if err != nil {
		return nil, fmt.Errorf("migrations of %s: %w", p.Name, err)
	}
	var out []migration
	for _, e := range entries {
		m := migrationName.FindStringSubmatch(e.Name())
		if m == nil {
			continue
		}
		b, err := fs.ReadFile(p.Files, e.Name())
		if err != nil {
			return nil, fmt.Errorf("migrations of %s: %w", p.Name, err)
		}
		version, _ := strconv.Atoi(m[1])
		if version != len(out)+1 {
			return nil, fmt.Errorf("migrations of %s: %s found where %04d is due", p.Name, e.Name(), len(out)+1)
		}
		sum := sha256.Sum256(b)
		out = append(out, migration{version, m[2], string(b), hex.EncodeToString(sum[:])})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("migrations of %s: no NNNN_name.up.sql files", p.Name)
	}
	return out, nil
}

const versionTable = `
CREATE TABLE IF NOT EXISTS schema_version (
	part       text        NOT NULL,
	version    integer     NOT NULL CHECK (version > 0),
	name       text        NOT NULL,
	sum        text        NOT NULL,
	applied_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (part, version)
);
COMMENT ON TABLE schema_version IS 'Migrations that were applied; written by smeshery migrate only.';`

// Migrate brings schemas up to date, each in one transaction, and creates the
// roles. url must log in as a role that may create schemas and roles, or find
// them made. Several may run at once: they wait for each other.
func Migrate(ctx context.Context, url string, schemas ...Schema) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	for _, s := range schemas {
		if !validName(s.Name) {
			return fmt.Errorf("schema name %q: want lower-case letters, digits and _", s.Name)
		}
		if err := migrateRoles(ctx, conn, s.Name); err != nil {
			return fmt.Errorf("roles of schema %s: %w", s.Name, err)
		}
		if err := InTx(ctx, conn, func(tx pgx.Tx) error { return s.migrate(ctx, tx) }); err != nil {
			return fmt.Errorf("migrate schema %s: %w", s.Name, err)
		}
	}
	return nil
}

func (s Schema) migrate(ctx context.Context, tx pgx.Tx) error {
	name := pgx.Identifier{s.Name}.Sanitize()
	setup := "SELECT pg_advisory_xact_lock(hashtextextended('smeshery migrate ' || current_database(), 0));" +
		"CREATE SCHEMA IF NOT EXISTS " + name + ";" +
		"SET LOCAL search_path = " + name + ";" +
		"SET LOCAL client_min_messages = warning;" + versionTable
	if _, err := tx.Exec(ctx, setup); err != nil {
		return err
	}
	for _, part := range s.Parts {
		todo, err := part.pending(ctx, tx)
		if err != nil {
			return err
		}
		for _, m := range todo {
			if _, err := tx.Exec(ctx, m.sql); err != nil {
				return fmt.Errorf("%s %04d_%s: %w", part.Name, m.version, m.name, err)
			}
			_, err := tx.Exec(ctx, "INSERT INTO schema_version (part, version, name, sum) VALUES ($1, $2, $3, $4)",
				part.Name, m.version, m.name, m.sum)
			if err != nil {
				return err
			}
		}
	}
	_, err := tx.Exec(ctx, grants(s.Name))
	return err
}

// pending compares the files with what was applied.
func (p Part) pending(ctx context.Context, db Querier) ([]migration, error) {
	files, err := p.migrations()
	if err != nil {
		return nil, err
	}
	rows, err := db.Query(ctx, "SELECT sum FROM schema_version WHERE part = $1 ORDER BY version", p.Name)
	if err != nil {
		return nil, err
	}
	applied, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, err
	}
	for i, sum := range applied[:min(len(applied), len(files))] {
		if files[i].sum != sum {
			return nil, fmt.Errorf("%s %04d_%s: %w", p.Name, files[i].version, files[i].name, ErrMigrationEdited)
		}
	}
	if len(applied) > len(files) {
		return nil, fmt.Errorf("%s is at %04d, known up to %04d: %w", p.Name, len(applied), len(files), ErrSchemaTooNew)
	}
	return slices.Clip(files[len(applied):]), nil
}

// Check tells whether the database has exactly the schema that this program
// knows. Services call it at start.
func Check(ctx context.Context, db *DB, s Schema) error {
	for _, part := range s.Parts {
		todo, err := part.pending(ctx, db)
		if Code(err) == "42P01" || Code(err) == "3F000" { // no such table, no such schema
			err = ErrSchemaTooOld
		} else if err == nil && len(todo) > 0 {
			err = fmt.Errorf("%s wants %04d_%s: %w", part.Name, todo[0].version, todo[0].name, ErrSchemaTooOld)
		}
		if err != nil {
			return fmt.Errorf("schema %s: %w", s.Name, err)
		}
	}
	return nil
}
