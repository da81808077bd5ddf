package cli

import (
	"context"
	"fmt"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/node"
	"github.com/smeshery/smeshery/pkg/store"
)

func migrateCommand(ctx context.Context, e *env, args []string) (int, error) {
	fs := flags(e, "migrate", "--database URL",
		"Brings the schemas of all services up to date. The URL must log in as a role that\nmay create schemas and roles. A password belongs into PGPASSFILE.")
	database := fs.String("database", "", "`URL` of the Postgres database")
	rest, err := parse(fs, args)
	switch {
	case err != nil:
		return exitError, err
	case len(rest) > 0:
		return exitError, usagef("it takes no arguments, but there is %q", rest[0])
	case *database == "":
		return exitError, usagef("--database is missing")
	}
	if err := store.Migrate(ctx, *database, node.Schemas()...); err != nil {
		return exitError, err
	}
	for _, s := range node.Schemas() {
		fmt.Fprintf(e.stdout, "schema %s is up to date\n", s.Name)
	}
	return exitOK, nil
}
