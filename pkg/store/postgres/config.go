package postgres

import (
	"errors"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
)

// Config describes a private server.
type Config struct {
	// Dir belongs to the server; it is made if it does not exist.
	Dir string
	// BinDir holds postgres and initdb; empty searches for them.
	BinDir string
	// User is the system user to run as when we are root.
	User string
	// Database is created if it does not exist; empty is "smeshery".
	Database string
	// Settings override the server's parameters.
	Settings map[string]string
	// WhileLocked detaches the server from this process: it ends when nobody
	// holds a lock (flock) on this file any more. Needs flock(1) and sh. The
	// caller holds a shared lock before Start and Stop does nothing. For test
	// binaries that share a server.
	WhileLocked string
	// Log is told what happens; nil discards it.
	Log *slog.Logger
}

// superuser is the database role that owns everything.
const superuser = "smeshery"

// ErrInUse says that another process owns the directory.
var ErrInUse = errors.New("the data directory is in use by another smeshery process")

func (c Config) withDefaults() (Config, error) {
	if c.Dir == "" {
		return c, errors.New("postgres: no directory")
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return c, err
	}
	c.Dir = dir
	if c.Database == "" {
		c.Database = superuser
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// defaults suit a machine that also runs the node.
var defaults = map[string]string{
	"listen_addresses":        "",
	"unix_socket_permissions": "0700",
	"max_connections":         "200",
	"shared_buffers":          "256MB",
	"work_mem":                "16MB",
	"maintenance_work_mem":    "128MB",
	"max_wal_size":            "4GB",
	"checkpoint_timeout":      "15min",
	"wal_compression":         "on",
	"synchronous_commit":      "on",
	"jit":                     "off", // our statements are short
	"random_page_cost":        "1.1",
	"log_timezone":            "UTC",
	"timezone":                "UTC",
}

// arguments for the server program, in a stable order.
func arguments(dataDir, socketDir string, settings map[string]string) []string {
	all := maps.Clone(defaults)
	maps.Copy(all, settings)
	all["unix_socket_directories"] = socketDir
	args := []string{"-D", dataDir}
	for _, k := range slices.Sorted(maps.Keys(all)) {
		args = append(args, "-c", k+"="+all[k])
	}
	return args
}
