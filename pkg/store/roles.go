package store

import (
	"context"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
)

// ReaderRole may read every table of every service.
const ReaderRole = "smeshery_reader"

// WriterRole is the only role that writes a schema's tables.
func WriterRole(schema string) string { return "smeshery_" + schema }

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,40}$`)

// validName keeps names that need no quoting anywhere.
func validName(s string) bool { return namePattern.MatchString(s) }

// migrateRoles makes the roles of a schema. Roles belong to the whole server,
// so migrations of other databases may do the same at this moment: what they did
// first counts, and the catalogue's "concurrently updated" is tried again.
func migrateRoles(ctx context.Context, conn *pgx.Conn, schema string) error {
	var err error
	for range retries {
		_, err = conn.Exec(ctx, strings.NewReplacer("$reader", ReaderRole, "$writer", WriterRole(schema)).Replace(rolesSQL))
		if Code(err) != "XX000" {
			break
		}
	}
	return err
}

const rolesSQL = `
DO $do$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '$reader') THEN
		BEGIN
			CREATE ROLE $reader NOLOGIN;
		EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
		END;
	END IF;
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '$writer') THEN
		BEGIN
			CREATE ROLE $writer NOLOGIN;
		EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
		END;
	END IF;
	IF NOT pg_has_role('$writer', '$reader', 'MEMBER') THEN
		BEGIN
			GRANT $reader TO $writer;
		EXCEPTION WHEN unique_violation THEN NULL;
		END;
	END IF;
	-- For metrics; a migrator that may not give it leaves them with less to show.
	IF NOT pg_has_role('$reader', 'pg_read_all_stats', 'MEMBER') THEN
		BEGIN
			GRANT pg_read_all_stats TO $reader;
		EXCEPTION WHEN insufficient_privilege OR unique_violation THEN NULL;
		END;
	END IF;
END
$do$`

// grants lets the writer write, the reader read, and nobody else anything. The
// migrator owns the tables, so that no service can change them. It runs after
// every migration and covers what that made.
func grants(schema string) string {
	return strings.NewReplacer("$schema", schema, "$reader", ReaderRole, "$writer", WriterRole(schema)).Replace(`
REVOKE ALL ON SCHEMA $schema FROM PUBLIC;
GRANT USAGE ON SCHEMA $schema TO $reader, $writer;
GRANT SELECT ON ALL TABLES IN SCHEMA $schema TO $reader;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA $schema TO $writer;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA $schema TO $writer;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA $schema TO $reader, $writer;
REVOKE INSERT, UPDATE, DELETE ON schema_version FROM $writer;`)
}
