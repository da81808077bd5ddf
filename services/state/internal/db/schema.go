package db

import (
	"embed"
	"io/fs"

	"github.com/smeshery/smeshery/pkg/store"
)

//go:embed migrations/*.up.sql
var migrations embed.FS

// Part is the service's own tables.
func Part() store.Part {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the directory is embedded above
	}
	return store.Part{Name: "state", Files: sub}
}
