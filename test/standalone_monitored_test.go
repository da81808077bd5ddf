package test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/deploy/monitoring/check"
)

// quickNetwork has epochs of 16 seconds.
const quickNetwork = `{
	"preset": "standalone",
	"main": {"layer-duration": "2s", "layers-per-epoch": 8, "atx-grade-delay": "2s"},
	"poet": {"phase-shift": "8s", "cycle-gap": "6s", "grace-period": "2s", "positioning-atx-selection-timeout": "1s"},
	"hare3": {"preround-delay": "300ms", "round-duration": "100ms"},
	"beacon": {
		"beacon-grace-period-duration": "1s", "beacon-proposal-duration": "500ms", "beacon-first-voting-round-duration": "1s",
		"beacon-voting-round-duration": "500ms", "beacon-weak-coin-round-duration": "500ms"
	}
}`

// never are alerts that no load of the machine excuses. Others may fire here: in
// layers of two seconds a busy machine is late.
var never = map[string]bool{
	"GuardRefusal": true, "SeveralLeaders": true, "HandlerPanicked": true, "ApiPanicked": true, "StateReverted": true,
	"NothingScraped": true, "DatabaseDown": true, "NoLeaseHeld": true, "QueueDropping": true, "OutboxOld": true,
}

// A Prometheus scrapes a whole network. Every panel of every dashboard has data,
// every rule evaluates, and no alert fires that tells of more than a slow machine.
func TestStandaloneMonitored(t *testing.T) {
	dir := dataDir(t)
	require.NoError(t, os.Chmod(dir, 0o711)) //nolint:gosec // Postgres runs as another user where the test is root
	config := filepath.Join(dir, "quick.json")
	require.NoError(t, os.WriteFile(config, []byte(quickNetwork), 0o600))
	cmd := smeshery(t, "standalone", "-c", config, "--data-dir", filepath.Join(dir, "net"), "--identities", "2",
		"--poet-listener", freeAddress(t), "--metrics-listener", "127.0.0.1:0", "--grpc-public-listener", "127.0.0.1:0",
		"--grpc-private-listener", "127.0.0.1:0", "--grpc-json-listener", "127.0.0.1:0")
	metrics := launch(t, cmd, regexp.MustCompile(`^metrics +http://([0-9.:]+)/metrics$`))

	prometheus := t.TempDir()
	server, err := check.Start(t.Context(), prometheus, "../deploy/monitoring/rules/smeshery.rules.yml", metrics)
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	monitored(t, server.URL)
}

// monitored waits until the network behind a Prometheus has applied blocks in its
// second epoch with weight, and checks dashboards and alerts.
func monitored(t *testing.T, prometheus string) {
	began := time.Now()
	waitForSeries(t, prometheus, "max(smeshery_state_applied_layer) > max(smeshery_consensus_effective_genesis_layer) + 10"+
		" and sum(smeshery_consensus_hare_outputs_total) > 8 and sum(smeshery_poet_rounds_proved_total) > 1")
	problems, err := check.Panels(t.Context(), prometheus, began)
	require.NoError(t, err)
	for _, p := range problems {
		t.Error(p)
	}
	problems, firing, err := check.Rules(t.Context(), prometheus)
	require.NoError(t, err)
	for _, p := range problems {
		t.Error(p)
	}
	for _, name := range firing {
		if never[name] {
			t.Errorf("alert %s fires in a healthy network", name)
		} else {
			t.Logf("alert %s fires", name)
		}
	}
}

func waitForSeries(t *testing.T, prometheus, expr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	poll := time.NewTicker(500 * time.Millisecond)
	defer poll.Stop()
	for {
		n, err := check.Series(ctx, prometheus, expr)
		if err == nil && n > 0 {
			return
		}
		select {
		case <-ctx.Done():
			require.Fail(t, "the network does not get there", "%s: %v", expr, err)
		case <-poll.C:
		}
	}
}

// launch starts a program in a process group of its own and returns what a line of
// its output tells; the program is interrupted at the end of the test.
func launch(t *testing.T, cmd *exec.Cmd, line *regexp.Regexp) string {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	found := make(chan string, 1)
	ended := make(chan error, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if m := line.FindStringSubmatch(lines.Text()); m != nil {
				select {
				case found <- m[1]:
				default:
				}
			}
		}
		ended <- cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-ended
		}
	})
	select {
	case text := <-found:
		return text
	case err := <-ended:
		ended <- err
		require.Fail(t, "it ended before it was ready", "%v\n%s", err, errs.String())
	case <-time.After(time.Minute):
		require.Fail(t, "it is not ready after a minute", errs.String())
	}
	return ""
}

// freeAddress is one where nothing listens, for what cannot be told to choose.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	return fmt.Sprint(l.Addr())
}
