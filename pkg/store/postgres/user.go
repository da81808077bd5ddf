package postgres

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// runner is who runs the server programs. The zero runner is ourselves.
type runner struct {
	drop     bool // we are root and become uid:gid
	uid, gid uint32
}

// chooseRunner finds the unprivileged user, if one is needed.
func chooseRunner(cfg Config, dataDir string) (runner, error) {
	if os.Geteuid() != 0 {
		return runner{}, nil
	}
	if st, err := os.Stat(dataDir); err == nil {
		if sys, ok := st.Sys().(*syscall.Stat_t); ok && sys.Uid != 0 {
			return runner{true, sys.Uid, sys.Gid}, nil
		}
	}
	names := []string{"postgres", "nobody"}
	if cfg.User != "" {
		names = []string{cfg.User}
	}
	for _, name := range names {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return runner{}, fmt.Errorf("user %s: %w", name, err)
		}
		if uid == 0 {
			return runner{}, fmt.Errorf("user %s is root, and PostgreSQL refuses to run as root", name)
		}
		return runner{true, uint32(uid), uint32(gid)}, nil
	}
	return runner{}, fmt.Errorf("PostgreSQL refuses to run as root, and there is no user %v to run it as", names)
}

// own makes a directory of mode 0700 that belongs to the runner.
func (r runner) own(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return err
	}
	if r.drop {
		return os.Chown(dir, int(r.uid), int(r.gid))
	}
	return nil
}

// enters tells whether the runner can walk down to dir by its path.
func (r runner) enters(dir string) bool {
	if !r.drop {
		return true
	}
	for ; ; dir = parent(dir) {
		st, err := os.Stat(dir)
		if err != nil {
			return false
		}
		sys, ok := st.Sys().(*syscall.Stat_t)
		if !ok {
			return false
		}
		bit := os.FileMode(0o001)
		switch {
		case sys.Uid == r.uid:
			bit = 0o100
		case sys.Gid == r.gid:
			bit = 0o010
		}
		if st.Mode().Perm()&bit == 0 {
			return false
		}
		if dir == "/" {
			return true
		}
	}
}
