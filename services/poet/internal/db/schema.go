package db

import (
	"embed"
	"io/fs"

	"github.com/smeshery/smeshery/pkg/lease"
	"github.com/smeshery/smeshery/pkg/store"
)

//go:embed migrations/*.up.sql
var migrations embed.FS

// Schema is everything that the service keeps in Postgres.
func Schema() store.Schema {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the directory is embedded above
	}
	return store.Schema{Name: "poet", Parts: []store.Part{{Name: "poet", Files: sub}, lease.Part()}}
}
