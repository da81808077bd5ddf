package postgres

import (
	"bytes"
	"context"
	"os/exec"
	"runtime"
	"syscall"
)

// runCommand runs cmd to its end, or ends it when ctx does. Its thread stays
// for that long: see launch.
func runCommand(ctx context.Context, cmd *exec.Cmd) (string, error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		if err == nil {
			stop := context.AfterFunc(ctx, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) })
			err = cmd.Wait()
			stop()
		}
		done <- err
	}()
	err := <-done
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return out.String(), err
}
