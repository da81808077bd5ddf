package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// ErrNotInstalled says that no PostgreSQL server programs were found.
var ErrNotInstalled = errors.New("no PostgreSQL server programs found; install the Debian package postgresql (apt-get install postgresql), or name their directory in the configuration")

// programs are what a directory of server programs must hold.
var programs = []string{"postgres", "initdb"}

// distributionDirs are where distributions put server programs that are not in PATH.
var distributionDirs = []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/libexec/postgresql*"}

// FindBinDir returns the directory of the server programs. major picks a
// version if the data was made by one ("" takes the newest).
func FindBinDir(ctx context.Context, major string) (string, error) {
	var dirs []string
	for _, pattern := range distributionDirs {
		found, _ := filepath.Glob(pattern)
		dirs = append(dirs, found...)
	}
	slices.SortFunc(dirs, func(a, b string) int { return versionOf(b) - versionOf(a) })
	if path, err := exec.LookPath("postgres"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(real))
		}
	}
	dirs = slices.DeleteFunc(dirs, func(d string) bool { return !complete(d) })
	if len(dirs) == 0 {
		return "", ErrNotInstalled
	}
	if major == "" {
		return dirs[0], nil
	}
	for _, d := range dirs {
		if programMajor(ctx, d) == major {
			return d, nil
		}
	}
	return "", fmt.Errorf("the data was made by PostgreSQL %s, but its programs are not installed (Debian package postgresql-%s); found only %s",
		major, major, strings.Join(dirs, ", "))
}

func complete(dir string) bool {
	for _, p := range programs {
		if st, err := os.Stat(filepath.Join(dir, p)); err != nil || st.IsDir() {
			return false
		}
	}
	return true
}

// versionOf reads the version out of a directory's name, for sorting.
func versionOf(dir string) int {
	for part := range strings.SplitSeq(dir, "/") {
		if n, err := strconv.Atoi(strings.TrimLeft(part, "pgsqlotre-")); err == nil {
			return n
		}
	}
	return 0
}

// programMajor asks the server program for its major version.
func programMajor(ctx context.Context, dir string) string {
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return ""
	}
	// postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)
	if fields := strings.Fields(string(out)); len(fields) >= 3 {
		major, _, _ := strings.Cut(fields[2], ".")
		return major
	}
	return ""
}
