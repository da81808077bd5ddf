package state

import (
	"github.com/smeshery/smeshery/pkg/lease"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/outbox"

	"github.com/smeshery/smeshery/services/state/internal/db"
)

const schemaName = "state"

// Schema is everything the service keeps in Postgres.
func Schema() store.Schema {
	return store.Schema{Name: schemaName, Parts: []store.Part{db.Part(), db.ListsPart(), outbox.Part(), lease.Part()}}
}
