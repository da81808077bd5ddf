package storetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/store/postgres"
)

// shared is this binary's view of the server that all binaries use.
type shared struct {
	admin string // URL of the database in which others are made
	url   func(database string) string
	hold  *os.File // the lock that keeps the server up
}

// once per test binary: like the binary's exit, it has no better owner.
var once = sync.OnceValues(join)

// disposable is fast and forgets everything in a power cut.
var disposable = map[string]string{
	"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
	"shared_buffers": "128MB", "max_connections": "400", "autovacuum": "off",
	"max_wal_size": "1GB", "log_min_messages": "fatal",
}

// join makes sure that the shared server runs and stays until we end.
func join() (*shared, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	dir := filepath.Join(os.TempDir(), "smeshery-storetest-"+strconv.Itoa(os.Getuid()))
	if err := ownDir(dir); err != nil {
		return nil, err
	}
	// One binary at a time decides whether the server has to be started.
	control, err := lock(filepath.Join(dir, "control.lock"), syscall.LOCK_EX)
	if err != nil {
		return nil, err
	}
	defer func() { _ = control.Close() }()
	// From here on the server does not end. If it is ending, wait for that.
	users := filepath.Join(dir, "users.lock")
	hold, err := lock(users, syscall.LOCK_SH)
	if err != nil {
		return nil, err
	}
	s := &shared{hold: hold}
	note := filepath.Join(dir, "socket")
	if b, err := os.ReadFile(note); err == nil {
		s.url = func(db string) string { return urlOf(string(b), db) }
		s.admin = s.url(adminDatabase)
		if ping(ctx, s.admin) == nil {
			return s, nil
		}
	}
	server, err := startShared(ctx, filepath.Join(dir, "pg"), users)
	if err != nil {
		_ = hold.Close()
		return nil, fmt.Errorf("tests need PostgreSQL: %w", err)
	}
	s.url, s.admin = server.URL, server.URL(adminDatabase)
	if err := forgetOld(ctx, s.admin); err != nil {
		return nil, err
	}
	return s, os.WriteFile(note, []byte(server.SocketDir()), 0o600)
}

// startShared starts the server, with new data if the old is of no use.
func startShared(ctx context.Context, dir, users string) (*postgres.Server, error) {
	cfg := postgres.Config{Dir: dir, Database: adminDatabase, Settings: disposable, WhileLocked: users}
	server, err := postgres.Start(ctx, cfg)
	if err == nil || errors.Is(err, postgres.ErrNotInstalled) || errors.Is(err, postgres.ErrInUse) {
		return server, err
	}
	if rmErr := os.RemoveAll(dir); rmErr != nil {
		return nil, errors.Join(err, rmErr)
	}
	return postgres.Start(ctx, cfg)
}

// ownDir makes a directory that others may enter but not change, and refuses
// one that somebody else made in the shared temporary directory.
func ownDir(dir string) error {
	if err := os.Mkdir(dir, 0o711); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	st, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok || !st.IsDir() || int(sys.Uid) != os.Getuid() {
		return fmt.Errorf("%s belongs to somebody else", dir)
	}
	return os.Chmod(dir, 0o711)
}

// lock opens path and waits for the lock; closing the file, or our end, frees it.
func lock(path string, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), how)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EINTR) {
			_ = f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
	}
}

func ping(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}
