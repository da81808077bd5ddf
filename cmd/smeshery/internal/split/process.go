package split

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// Process is a program that is kept running.
type Process struct {
	Name string
	Path string
	Args []string
	// Log is the file that has what it says.
	Log string

	pid      atomic.Int64
	restarts atomic.Int64
}

// PID is that of the program as it runs now; 0 if it does not.
func (p *Process) PID() int { return int(p.pid.Load()) }

// Restarts is how often it was started again.
func (p *Process) Restarts() int { return int(p.restarts.Load()) }

// The pause before a process is started again, and how long it has to end.
const (
	pause    = time.Second
	maxPause = 30 * time.Second
	lasted   = time.Minute
	grace    = 4 * time.Second
)

// keep runs the program until ctx ends, again and again. tell hears of its ends.
func (p *Process) keep(ctx context.Context, tell func(format string, args ...any)) {
	wait := pause
	for {
		began := time.Now()
		err := p.run(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > lasted {
			wait = pause
		}
		tell("%s ended (%v) and is started again; its log is %s", p.Name, err, p.Log)
		p.restarts.Add(1)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = min(2*wait, maxPause)
	}
}

// run is one life of the program. The kernel kills it when the thread that started
// it ends, so that one stays.
func (p *Process) run(ctx context.Context) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := os.MkdirAll(filepath.Dir(p.Log), 0o700); err != nil {
		return err
	}
	log, err := os.OpenFile(p.Log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.CommandContext(ctx, p.Path, p.Args...)
	cmd.Stdout, cmd.Stderr = log, log
	// A Ctrl-C is for us, who end the others in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = grace
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.Name, err)
	}
	p.pid.Store(int64(cmd.Process.Pid))
	defer p.pid.Store(0)
	return cmd.Wait()
}
