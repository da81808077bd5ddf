package split

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAProcessThatEndsIsStartedAgain(t *testing.T) {
	p := &Process{Name: "sleeper", Path: "/bin/sh", Args: []string{"-c", "echo begins; exec sleep 600"}, Log: logFile(t.TempDir(), "sleeper")}
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan string, 8)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.keep(ctx, func(format string, args ...any) { told <- fmt.Sprintf(format, args...) })
	}()
	alive := func() bool { return p.PID() != 0 }
	require.Eventually(t, alive, 10*time.Second, 10*time.Millisecond)
	first := p.PID()
	require.NoError(t, syscall.Kill(first, syscall.SIGKILL))
	require.Contains(t, <-told, "sleeper ended (signal: killed)")
	require.Eventually(t, func() bool { return alive() && p.PID() != first }, 10*time.Second, 10*time.Millisecond)
	require.Equal(t, 1, p.Restarts())
	require.Eventually(t, func() bool {
		raw, err := os.ReadFile(p.Log)
		return err == nil && strings.Count(string(raw), "begins") == 2
	}, 10*time.Second, 10*time.Millisecond)
	last := p.PID()
	cancel()
	<-ended
	require.Zero(t, p.PID())
	require.ErrorIs(t, syscall.Kill(last, 0), syscall.ESRCH)
}

func TestAnAddressForNATS(t *testing.T) {
	dir := t.TempDir()
	p, url, err := natsServer(t.Context(), dir)
	if err != nil {
		require.ErrorContains(t, err, "install the package nats-server")
		return
	}
	require.True(t, strings.HasPrefix(url, "nats://127.0.0.1:"))
	raw, err := os.ReadFile(p.Args[1])
	require.NoError(t, err)
	require.Contains(t, string(raw), "max_payload: 33554432")
	require.Equal(t, filepath.Join(dir, "nats-server.conf"), p.Args[1])
}
