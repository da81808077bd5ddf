package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a running private server.
type Server struct {
	cfg      Config
	layout   layout
	runner   runner
	lock     *os.File
	socket   string
	pid      int
	done     chan struct{}
	err      error // why it ended; read after done
	detached bool
	log      *slog.Logger
}

// layout is where things lie inside Config.Dir.
type layout struct {
	dir, data, fresh, run, lock, log, socket string
}

func layoutOf(dir string) layout {
	in := func(name string) string { return filepath.Join(dir, name) }
	return layout{dir, in("data"), in("data.new"), in("run"), in("lock"), in("log"), in("socket")}
}

// Start runs initdb if that was never done, starts the server and returns when
// the database takes connections. Recovery after a crash may take a while; ctx
// bounds it. The error is ErrInUse, ErrNotInstalled, or says what the server said.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, layout: layoutOf(cfg.Dir), log: cfg.Log,
		detached: cfg.WhileLocked != "", done: make(chan struct{}),
	}
	if err := os.MkdirAll(cfg.Dir, 0o711); err != nil {
		return nil, fmt.Errorf("postgres directory: %w", err)
	}
	if s.lock, err = lockDir(s.layout.lock); err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		s.Stop(context.Background())
		return nil, fmt.Errorf("start postgres in %s: %w", cfg.Dir, err)
	}
	return s, nil
}

func (s *Server) start(ctx context.Context) (err error) {
	if s.runner, err = chooseRunner(s.cfg, s.layout.data); err != nil {
		return err
	}
	if s.runner.drop {
		if err := os.Chmod(s.layout.dir, 0o711); err != nil {
			return err
		}
	}
	bin := s.cfg.BinDir
	if bin == "" {
		if bin, err = FindBinDir(ctx, dataMajor(s.layout.data)); err != nil {
			return err
		}
	} else if !complete(bin) {
		return fmt.Errorf("%s: %w", bin, ErrNotInstalled)
	}
	if err := stopOld(ctx, s.layout.data, s.log); err != nil {
		return err
	}
	if err := s.initialize(ctx, bin); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(s.layout.data, "postmaster.pid")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if s.socket, err = s.makeSocketDir(); err != nil {
		return err
	}
	if err := s.launch(bin); err != nil {
		return err
	}
	if err := s.waitReady(ctx); err != nil {
		return err
	}
	return s.createDatabase(ctx)
}

// launch starts the server program. The kernel's parent-death signal watches
// the thread that started it, so that thread stays for as long as it runs.
func (s *Server) launch(bin string) error {
	out, err := openLog(s.layout.log)
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	cmd, closer, err := s.command(s.layout.data, func(dataDir string) []string {
		argv := append([]string{filepath.Join(bin, "postgres")}, arguments(dataDir, s.socket, s.cfg.Settings)...)
		if s.detached {
			argv = append([]string{"/bin/sh", "-c", untilUnlocked, s.cfg.WhileLocked}, argv...)
		}
		return argv
	})
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = out, out
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		_ = closer.Close() // the server has its own copy
		started <- err
		if err == nil {
			s.err = cmd.Wait()
			close(s.done)
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	s.pid = cmd.Process.Pid
	return nil
}

// untilUnlocked runs the server until it can lock the file $0, then stops it
// at once and holds the lock until it is gone.
const untilUnlocked = `"$@" &
server=$!
flock -x "$0" sh -c 'kill -QUIT $0; while kill -0 $0; do sleep 0.05; done' $server &
watcher=$!
wait $server
kill $watcher`

// command runs a program as the runner with one directory that it can reach:
// by its path, or where it may not walk there, as open file 3.
func (s *Server) command(dir string, argv func(dir string) []string) (*exec.Cmd, io.Closer, error) {
	var extra []*os.File
	var closer io.Closer = io.NopCloser(nil)
	if !s.runner.enters(dir) {
		f, err := os.Open(dir)
		if err != nil {
			return nil, nil, err
		}
		extra, closer, dir = []*os.File{f}, f, "/proc/self/fd/3"
	}
	args := argv(dir)
	//nolint:noctx // a server outlives the start that made it; runCommand ends initdb with its context
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	cmd.ExtraFiles = extra
	prepare(cmd, s.runner, s.detached)
	return cmd, closer, nil
}

// URL is the connection string of a database of the server, as its superuser.
func (s *Server) URL(database string) string {
	q := url.Values{"host": {s.socket}, "user": {superuser}}
	return "postgres:///" + url.PathEscape(database) + "?" + q.Encode()
}

// Database is the name of the database that Start made sure of.
func (s *Server) Database() string { return s.cfg.Database }

// SocketDir is where the server's socket lies.
func (s *Server) SocketDir() string { return s.socket }

// Done is closed when the server ended, for whatever reason.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err tells why the server ended; nil before Done, and after an orderly stop.
func (s *Server) Err() error {
	select {
	case <-s.done:
		if s.err != nil {
			return fmt.Errorf("postgres ended: %w: %s", s.err, tail(s.layout.log))
		}
	default:
	}
	return nil
}

// Stop shuts the server down: open transactions end, what was committed is
// flushed. If ctx ends first the server stops at once, and recovers on its next
// start. The directory is then free for others. A detached server is left alone.
func (s *Server) Stop(ctx context.Context) {
	defer s.unlock()
	if s.detached || s.pid == 0 {
		return
	}
	_ = syscall.Kill(s.pid, syscall.SIGINT)
	select {
	case <-s.done:
	case <-ctx.Done():
		_ = syscall.Kill(s.pid, syscall.SIGQUIT)
		select {
		case <-s.done:
		case <-time.After(10 * time.Second):
			_ = syscall.Kill(s.pid, syscall.SIGKILL)
			<-s.done
		}
	}
	s.removeSocketDir()
}

func (s *Server) unlock() {
	if err := s.lock.Close(); err != nil {
		s.log.Error("the directory stays locked until this process ends", "dir", s.layout.dir, "err", err)
	}
}

// waitReady connects until that works.
func (s *Server) waitReady(ctx context.Context) error {
	var last error
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		last = err
		select {
		case <-s.done:
			return fmt.Errorf("the server ended: %w: %s", s.err, tail(s.layout.log))
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), last)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s *Server) createDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var exists bool
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", s.cfg.Database).Scan(&exists)
	if err != nil || exists {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{s.cfg.Database}.Sanitize())
	return err
}

// openLog appends to the log, but starts over when it is long.
func openLog(path string) (*os.File, error) {
	flags := os.O_CREATE | os.O_WRONLY | os.O_APPEND
	if st, err := os.Stat(path); err == nil && st.Size() > 16<<20 {
		flags |= os.O_TRUNC
	}
	return os.OpenFile(path, flags, 0o600)
}

// tail is the end of the log on one line, for error messages.
func tail(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return "no log"
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-6):], " | ")
}

func parent(dir string) string { return filepath.Dir(dir) }
