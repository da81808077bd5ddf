package db

import (
	"embed"
	"io/fs"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

//go:embed migrations/*.up.sql
var migrations embed.FS

//go:embed sql/*.sql
var statements embed.FS

// Part is activation's own tables.
func Part() store.Part {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the directory is embedded above
	}
	return store.Part{Name: "activation", Files: sub}
}

// text reads a statement; a name that does not exist is found by the first test.
func text(name string) string {
	b, err := statements.ReadFile("sql/" + name + ".sql")
	if err != nil {
		panic(err)
	}
	return string(b)
}

// Heads are the ends of the feeds. While they stay, what was read of ATXs,
// marriages and malicious identities stays true.
type Heads struct{ ATXs, Malicious int64 }

// NodeEpoch is an identity in a publish epoch.
type NodeEpoch struct {
	Node  wire.NodeID
	Epoch wire.EpochID
}

// NodeATX is an identity's share of an ATX, or on one.
type NodeATX struct {
	Node wire.NodeID
	ATX  wire.ATXID
}

// ATXEpoch is a marriage ATX and a publish epoch.
type ATXEpoch struct {
	ATX   wire.ATXID
	Epoch wire.EpochID
}

// keys are ids as the driver takes them.
func keys[T ~[32]byte](ids []T) [][]byte {
	out := make([][]byte, len(ids))
	flat := make([]byte, 0, 32*len(ids))
	for i := range ids {
		id := [32]byte(ids[i])
		flat = append(flat, id[:]...)
		out[i] = flat[32*i : 32*i+32 : 32*i+32]
	}
	return out
}

// optional is an id that may be absent.
func optional(id *wire.ATXID) []byte {
	if id == nil {
		return nil
	}
	return id[:]
}

// orNull is an id whose zero is NULL.
func orNull(id *wire.ATXID) []byte {
	if wire.IsZero(*id) {
		return nil
	}
	return id[:]
}
