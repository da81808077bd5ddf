package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// lockDir takes the directory's lock or says who has it. The kernel frees it
// when we die, whatever kills us.
func lockDir(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock postgres directory: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		holder, _ := io.ReadAll(io.LimitReader(f, 32))
		_ = f.Close()
		return nil, fmt.Errorf("%s: %w (process %s)", filepath.Dir(path), ErrInUse, strings.TrimSpace(string(holder)))
	}
	if err == nil {
		err = errors.Join(f.Truncate(0), writeAt(f, strconv.Itoa(os.Getpid())+"\n"))
	}
	if err != nil {
		return nil, fmt.Errorf("lock postgres directory: %w", errors.Join(err, f.Close()))
	}
	return f, nil
}

func writeAt(f *os.File, s string) error {
	_, err := f.WriteAt([]byte(s), 0)
	return err
}

// dataMajor is the version that made the data, "" if there is none.
func dataMajor(dataDir string) string {
	b, err := os.ReadFile(filepath.Join(dataDir, "PG_VERSION"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// initialize runs initdb beside data and moves the result there, once.
func (s *Server) initialize(ctx context.Context, bin string) error {
	if dataMajor(s.layout.data) != "" {
		return nil
	}
	s.log.Info("making a new database", "dir", s.layout.dir)
	for _, dir := range []string{s.layout.data, s.layout.fresh} {
		// Nothing of value: there is no PG_VERSION, so nobody ever started it.
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	if err := s.runner.own(s.layout.fresh); err != nil {
		return err
	}
	cmd, closer, err := s.command(s.layout.fresh, func(dir string) []string {
		return []string{
			filepath.Join(bin, "initdb"), "-D", dir, "-U", superuser, "-A", "trust",
			"-E", "UTF8", "--locale=C", "--data-checksums",
		}
	})
	if err != nil {
		return err
	}
	defer func() { _ = closer.Close() }()
	cmd.SysProcAttr.Setsid, cmd.SysProcAttr.Setpgid = false, true
	out, err := runCommand(ctx, cmd)
	if err != nil {
		return fmt.Errorf("initdb: %w: %s", err, strings.TrimSpace(out))
	}
	if err := os.Rename(s.layout.fresh, s.layout.data); err != nil {
		return err
	}
	return syncDir(s.layout.dir)
}

// syncDir makes a rename in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return d.Sync()
}

// maxSocketPath is what sun_path holds, without its final zero.
const maxSocketPath = 107

// socketName is the file that the server makes in the socket directory.
const socketName = ".s.PGSQL.5432"

// makeSocketDir gives the runner a directory for its socket: run/, or one under
// /tmp if the path of run/ is too long or not open to the runner. A file
// remembers the latter's name, so that connections find the next server there.
func (s *Server) makeSocketDir() (string, error) {
	if s.runner.enters(s.layout.dir) && len(filepath.Join(s.layout.run, socketName)) <= maxSocketPath {
		return s.layout.run, s.runner.own(s.layout.run)
	}
	dir, ok := s.rememberedDir()
	if ok {
		// A crash left it, or it is free; if it is somebody else's we cannot own it.
		if err := os.RemoveAll(dir); err != nil || os.Mkdir(dir, 0o700) != nil {
			ok = false
		}
	}
	if !ok {
		var err error
		if dir, err = os.MkdirTemp(shortDir, shortPrefix); err != nil {
			return "", fmt.Errorf("directory for the socket: %w", err)
		}
	}
	if err := s.runner.own(dir); err != nil {
		return "", fmt.Errorf("directory for the socket: %w", err)
	}
	return dir, os.WriteFile(s.layout.socket, []byte(dir), 0o600)
}

const (
	shortDir    = "/tmp"
	shortPrefix = "smeshery-pg-"
)

// rememberedDir is the directory under /tmp that the last server had.
func (s *Server) rememberedDir() (string, bool) {
	b, err := os.ReadFile(s.layout.socket)
	if err != nil {
		return "", false
	}
	dir := string(b)
	return dir, filepath.Dir(dir) == shortDir && strings.HasPrefix(filepath.Base(dir), shortPrefix)
}

func (s *Server) removeSocketDir() {
	if dir, ok := s.rememberedDir(); ok && dir == s.socket {
		_ = os.RemoveAll(dir)
	}
}

// pidFile reads the process id of the server that wrote dataDir's pid file.
func pidFile(dataDir string) (int, bool) {
	b, err := os.ReadFile(filepath.Join(dataDir, "postmaster.pid"))
	if err != nil {
		return 0, false
	}
	line, _, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	return pid, err == nil && pid > 1
}

// stopOld waits until no process of an earlier server is left. We hold the
// directory's lock, so whatever runs there has lost the smeshery that started it.
func stopOld(ctx context.Context, dataDir string, log *slog.Logger) error {
	escalation := []struct {
		signal syscall.Signal
		wait   time.Duration
	}{
		{syscall.SIGINT, 30 * time.Second}, {syscall.SIGQUIT, 10 * time.Second}, {syscall.SIGKILL, 10 * time.Second},
	}
	for _, step := range escalation {
		pids := inside(dataDir)
		if len(pids) == 0 {
			return nil
		}
		if main, ok := pidFile(dataDir); ok && step.signal != syscall.SIGKILL && slices.Contains(pids, main) {
			pids = []int{main} // the rest follow it
		}
		log.Warn("stopping a server that was left behind", "pids", pids, "signal", step.signal.String())
		for _, pid := range pids {
			if err := syscall.Kill(pid, step.signal); errors.Is(err, syscall.EPERM) {
				return fmt.Errorf("a server that was left behind (process %d) belongs to another user", pid)
			}
		}
		if err := untilGone(ctx, dataDir, step.wait); err != nil {
			return err
		}
	}
	if pids := inside(dataDir); len(pids) > 0 {
		return fmt.Errorf("processes %v of an earlier server do not end", pids)
	}
	return nil
}

func untilGone(ctx context.Context, dataDir string, limit time.Duration) error {
	deadline := time.Now().Add(limit)
	for len(inside(dataDir)) > 0 && time.Now().Before(deadline) {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}
