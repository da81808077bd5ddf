package main_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/source"
)

// follow starts a replay in a process group of its own and hands each line of its
// progress to see, until that is satisfied or the process ends.
func follow(t *testing.T, see func(cmd *exec.Cmd, line string) (enough bool), args ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command("smeshery", append([]string{"replay"}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if see(cmd, lines.Text()) {
			return cmd, lines
		}
	}
	t.Fatalf("the replay ended before it was where it should be killed: %v", cmd.Wait())
	return nil, nil
}

var layerLine = regexp.MustCompile(`layer (\d+)/`)

// Killed at several points, a replay loses nothing that was acknowledged.
func TestAKilledReplayGoesOn(t *testing.T) {
	dir := recordings(t)[0]
	data := filepath.Join(t.TempDir(), "data")
	points := map[string]func(*exec.Cmd, string) bool{
		"while the database is made": func(_ *exec.Cmd, line string) bool { return strings.Contains(line, "starting the node") },
		"while proofs are verified":  func(_ *exec.Cmd, line string) bool { return strings.Contains(line, "poet_proofs") },
		"between layers":             func(_ *exec.Cmd, line string) bool { return layerLine.MatchString(line) },
	}
	for _, name := range []string{"while the database is made", "while proofs are verified", "between layers", "between layers"} {
		t.Log("kill", name)
		cmd, _ := follow(t, points[name], "--data-dir", data, dir)
		require.NoError(t, syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL))
		require.Error(t, cmd.Wait())
	}
	report, code := run(t, "--data-dir", data, dir)
	requireSame(t, dir, report, code)
	require.Greater(t, report.ResumedAfter, report.FirstLayer)
	require.Equal(t, 12, tally(t, report, source.PoetProofs).Known)
	require.Positive(t, tally(t, report, source.ATXs).Known)
}

// A database that dies under the services is started again, and nothing is lost.
func TestTheDatabaseDiesWhileReplaying(t *testing.T) {
	dir := recordings(t)[0]
	data := filepath.Join(t.TempDir(), "data")
	killed := false
	cmd, lines := follow(t, func(_ *exec.Cmd, line string) bool {
		killed = layerLine.MatchString(line)
		return killed
	}, "--data-dir", data, dir)
	killDatabase(t, data)
	var last []string
	for lines.Scan() {
		last = append(last, lines.Text())
	}
	require.NoError(t, cmd.Wait(), strings.Join(last, "\n"))
	report, code := run(t, "--data-dir", data, dir)
	requireSame(t, dir, report, code)
	require.Equal(t, report.LastLayer, report.ResumedAfter)
}

func killDatabase(t *testing.T, data string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(data, "postgres", "data", "postmaster.pid"))
	require.NoError(t, err)
	line, _, _ := strings.Cut(string(raw), "\n")
	pid, err := strconv.Atoi(line)
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
}

// Two processes on one data directory: the second is told, the first goes on.
func TestTwoProcessesOnOneDataDirectory(t *testing.T) {
	dir := recordings(t)[0]
	data := filepath.Join(t.TempDir(), "data")
	first, lines := follow(t, func(_ *exec.Cmd, line string) bool { return strings.Contains(line, "poet_proofs") }, "--data-dir", data, dir)
	out, err := exec.Command("smeshery", "replay", "--data-dir", data, dir).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "in use by another smeshery process")
	for lines.Scan() {
	}
	require.NoError(t, first.Wait())
}

// An interrupt stops the replay in order; it says how to go on.
func TestAnInterruptedReplayStopsInOrder(t *testing.T) {
	dir := recordings(t)[0]
	data := filepath.Join(t.TempDir(), "data")
	cmd, lines := follow(t, func(_ *exec.Cmd, line string) bool { return strings.Contains(line, "poet_proofs") }, "--data-dir", data, dir)
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	var rest []string
	for lines.Scan() {
		rest = append(rest, lines.Text())
	}
	require.Error(t, cmd.Wait())
	require.Equal(t, 130, cmd.ProcessState.ExitCode(), rest)
	require.Contains(t, strings.Join(rest, "\n"), "goes on where this one stopped")
}
