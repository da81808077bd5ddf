package outbox

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/store"
)

//go:embed sql/*.up.sql
var files embed.FS

// Part is the outbox table of a schema, to be listed in store.Schema.Parts.
func Part() store.Part {
	sub, err := fs.Sub(files, "sql")
	if err != nil {
		panic(err) // the directory is embedded above
	}
	return store.Part{Name: "outbox", Files: sub}
}

// AddTx stores messages in the outbox of the service whose role the
// transaction has. Call Relay.Wake after the commit.
func AddTx(ctx context.Context, tx pgx.Tx, messages ...bus.Outgoing) error {
	if len(messages) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `INSERT INTO outbox (subject, body)
		SELECT subject, body FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS m (subject, body, n) ORDER BY n`,
		store.Column(messages, func(m *bus.Outgoing) string { return m.Subject }),
		store.Column(messages, func(m *bus.Outgoing) []byte {
			if m.Body == nil {
				return []byte{}
			}
			return m.Body
		}))
	if err != nil {
		return fmt.Errorf("add to outbox: %w", err)
	}
	return nil
}
