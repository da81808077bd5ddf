package postgres

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// prepare makes cmd run as the runner, in a group of its own, and (unless it is
// detached) get a fast shutdown from the kernel when we die.
func prepare(cmd *exec.Cmd, r runner, detached bool) {
	attr := &syscall.SysProcAttr{Setpgid: !detached, Setsid: detached}
	if !detached {
		attr.Pdeathsig = syscall.SIGINT
	}
	if r.drop {
		attr.Credential = &syscall.Credential{Uid: r.uid, Gid: r.gid, Groups: []uint32{r.gid}}
	}
	cmd.SysProcAttr = attr
}

// inside lists the processes of a server on dataDir: all of them have it as
// their working directory, and nothing else does.
func inside(dataDir string) []int {
	want, err := filepath.EvalSymlinks(dataDir)
	if err != nil {
		return nil
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		proc := filepath.Join("/proc", e.Name())
		if cwd, err := os.Readlink(filepath.Join(proc, "cwd")); err != nil || cwd != want {
			continue
		}
		comm, err := os.ReadFile(filepath.Join(proc, "comm"))
		if err == nil && strings.HasPrefix(string(comm), "postgres") {
			pids = append(pids, pid)
		}
	}
	return pids
}
