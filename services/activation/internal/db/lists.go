package db

import (
	"embed"
	"io/fs"

	"github.com/smeshery/smeshery/pkg/store"
)

//go:embed lists/*.up.sql
var lists embed.FS

// ListsPart is what lists of the API need beside the service's own tables.
func ListsPart() store.Part {
	sub, err := fs.Sub(lists, "lists")
	if err != nil {
		panic(err) // the directory is embedded above
	}
	return store.Part{Name: "lists", Files: sub}
}
