package test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// processes are the services of a network that runs split.
var processes = []string{
	"consensus-1", "activation-1", "state-1", "gossip", "consensus-2", "post-worker", "state-2", "activation-2", "poet", "api-gateway",
}

// TestSplitWithAKillOfEach runs the same network as one process a service, kills each
// of them with SIGKILL, the NATS server and Postgres too, and wants it healthy afterwards.
func TestSplitWithAKillOfEach(t *testing.T) {
	s := newStandalone(t)
	s.api = port(t)
	s.args = append([]string{"run-split"}, append(s.args[1:], "--identities", "4", "--grpc-json-listener", s.api)...)
	api := s.api
	s.launch()
	s.api = api
	s.answering()
	s.reach(quickFirst + 2)
	for _, name := range append(slices.Clone(processes), "nats-server", "postgres") {
		pid := s.process(name)
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		require.Eventually(t, func() bool { now := s.find(name); return now != 0 && now != pid }, 30*time.Second, 20*time.Millisecond, name)
	}
	s.answering()
	killed := s.status()
	s.heal()
	require.Zero(t, s.malicious())
	for epoch := uint32(1); epoch < s.status().Current/quickPerEpoch; epoch++ {
		require.Len(t, s.smeshersIn(epoch), 4, "epoch %d", epoch)
	}
	t.Logf("killed in layer %d, healthy in layer %d", killed.Current, s.status().Current)
	s.interrupt()
	for _, name := range processes {
		require.Zero(t, s.find(name), "%s outlives its network", name)
	}
}

// answering waits until the API does.
func (s *standalone) answering() {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		select {
		case <-s.drained:
			s.t.Fatalf("it ended:\n%s", s.out.String())
		default:
		}
		resp, err := http.Post("http://"+s.api+"/spacemesh.v2alpha1.NodeService/Status", "application/json", strings.NewReader("{}"))
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}, time.Minute, 50*time.Millisecond)
}

func (s *standalone) process(name string) int {
	s.t.Helper()
	pid := s.find(name)
	require.NotZero(s.t, pid, "no process %s", name)
	return pid
}

// find is the process of the network that goes by a name; 0 if there is none.
func (s *standalone) find(name string) int {
	if name == "postgres" {
		raw, _ := os.ReadFile(filepath.Join(s.dir, "postgres", "data", "postmaster.pid"))
		first, _, _ := strings.Cut(string(raw), "\n")
		pid, _ := strconv.Atoi(first)
		return pid
	}
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(s.t, err)
	for _, path := range lines {
		raw, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(raw, []byte(s.dir)) {
			continue
		}
		args := strings.Split(strings.TrimRight(string(raw), "\x00"), "\x00")
		i := slices.Index(args, "--name")
		if filepath.Base(args[0]) == name || i >= 0 && i+1 < len(args) && args[i+1] == name {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			require.NoError(s.t, err, fmt.Sprint(path))
			return pid
		}
	}
	return 0
}
