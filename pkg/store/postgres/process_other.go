//go:build !linux

package postgres

import (
	"os/exec"
	"syscall"
)

// prepare makes cmd run as the runner in a group of its own. There is no
// parent-death signal here: after a kill -9 of ours the next Start stops it.
func prepare(cmd *exec.Cmd, r runner, detached bool) {
	attr := &syscall.SysProcAttr{Setpgid: !detached, Setsid: detached}
	if r.drop {
		attr.Credential = &syscall.Credential{Uid: r.uid, Gid: r.gid, Groups: []uint32{r.gid}}
	}
	cmd.SysProcAttr = attr
}

// inside finds the old server by its pid file.
func inside(dataDir string) []int {
	if pid, ok := pidFile(dataDir); ok && syscall.Kill(pid, 0) == nil {
		return []int{pid}
	}
	return nil
}
