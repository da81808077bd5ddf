package test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// quick are the numbers of a network with epochs of 24 seconds.
var quick = map[string]any{
	"main":   map[string]any{"layer-duration": "3s", "layers-per-epoch": 8, "atx-grade-delay": "3s"},
	"poet":   map[string]any{"phase-shift": "12s", "cycle-gap": "9s", "grace-period": "8s", "positioning-atx-selection-timeout": "2s", "poet-request-timeout": "6s"},
	"hare3":  map[string]any{"preround-delay": "700ms", "round-duration": "150ms"},
	"beacon": map[string]any{"beacon-grace-period-duration": "2s", "beacon-proposal-duration": "1s", "beacon-first-voting-round-duration": "2s", "beacon-voting-round-duration": "1s", "beacon-weak-coin-round-duration": "1s"},
}

const (
	quickLayer    = 3 * time.Second
	quickPerEpoch = 8
	// quickFirst is the first layer with ballots.
	quickFirst = 2 * quickPerEpoch
)

// standalone is a network of one process, as a user runs it.
type standalone struct {
	t       *testing.T
	dir     string
	args    []string
	cmd     *exec.Cmd
	out     bytes.Buffer // of all runs, for when something fails
	api     string       // of the run: host:port of the JSON API
	metrics string       // of the run
	drained chan struct{}
	opened  chan struct{}
}

// port is one that was free a moment ago, of those that the system gives to nobody who
// does not ask for them.
func port(t *testing.T) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(10_000)))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

func newStandalone(t *testing.T, args ...string) *standalone {
	t.Helper()
	dir := dataDir(t)
	raw, err := json.Marshal(quick)
	require.NoError(t, err)
	config := filepath.Join(t.TempDir(), "quick.json")
	require.NoError(t, os.WriteFile(config, raw, 0o600))
	s := &standalone{t: t, dir: filepath.Join(dir, "net")}
	s.args = append([]string{
		"standalone", "--data-dir", s.dir, "--config", config, "--poet-listener", port(t),
		"--grpc-public-listener", "127.0.0.1:0", "--grpc-private-listener", "127.0.0.1:0", "--grpc-json-listener", "127.0.0.1:0",
		"--metrics-listener", "127.0.0.1:0",
	}, args...)
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(s.dir, "smeshery.log"))
			t.Logf("output:\n%s\nlog:\n%s", s.out.String(), log[max(0, len(log)-20_000):])
		}
	})
	return s
}

var (
	jsonAddress    = regexp.MustCompile(`json (127\.0\.0\.1:\d+)`)
	metricsAddress = regexp.MustCompile(`metrics +http://(127\.0\.0\.1:\d+)`)
)

// start runs the network, and returns when its APIs are open.
func (s *standalone) start() {
	s.t.Helper()
	s.launch()
	s.await()
}

func (s *standalone) launch() {
	s.cmd = smeshery(s.t, s.args...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	pipe, err := s.cmd.StdoutPipe()
	require.NoError(s.t, err)
	s.cmd.Stderr = s.cmd.Stdout
	require.NoError(s.t, s.cmd.Start())
	s.drained = make(chan struct{})
	opened := make(chan struct{})
	s.api, s.metrics = "", ""
	go s.read(pipe, opened)
	s.opened = opened
}

// read keeps the output, and finds the addresses in it.
func (s *standalone) read(pipe io.Reader, opened chan struct{}) {
	defer close(s.drained)
	lines := bufio.NewScanner(pipe)
	for lines.Scan() {
		s.out.WriteString(lines.Text() + "\n")
		if m := jsonAddress.FindStringSubmatch(lines.Text()); m != nil {
			s.api = m[1]
		}
		if m := metricsAddress.FindStringSubmatch(lines.Text()); m != nil {
			s.metrics = m[1]
			close(opened)
		}
	}
}

func (s *standalone) await() {
	s.t.Helper()
	select {
	case <-s.opened:
	case <-s.drained:
		s.t.Fatalf("it ended:\n%s", s.out.String())
	case <-time.After(time.Minute):
		s.t.Fatal("it does not start")
	}
}

// kill ends the process like a power cut would, and everything that it started but
// for Postgres, which finds out by itself.
func (s *standalone) kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	<-s.drained
	_ = s.cmd.Wait()
	s.cmd = nil
}

// interrupt is Ctrl-C; it returns how long stopping took.
func (s *standalone) interrupt() time.Duration {
	s.t.Helper()
	began := time.Now()
	require.NoError(s.t, s.cmd.Process.Signal(os.Interrupt))
	<-s.drained
	require.NoError(s.t, s.cmd.Wait())
	s.cmd = nil
	return time.Since(began)
}

// ask calls a method of the public API.
func (s *standalone) ask(method string, request, into any) {
	s.t.Helper()
	raw, err := json.Marshal(request)
	require.NoError(s.t, err)
	resp, err := http.Post("http://"+s.api+"/spacemesh.v2alpha1."+method, "application/json", bytes.NewReader(raw))
	require.NoError(s.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	require.Equal(s.t, http.StatusOK, resp.StatusCode, "%s %s: %s", method, raw, body)
	require.NoError(s.t, json.Unmarshal(body, into), "%s", body)
}

// status is what NodeService says.
type status struct {
	Applied uint32 `json:"appliedLayer"`
	Current uint32 `json:"currentLayer"`
}

func (s *standalone) status() (st status) {
	s.t.Helper()
	s.ask("NodeService/Status", struct{}{}, &st)
	return st
}

// layer is a layer as LayerService lists it.
type layer struct {
	Number uint32 `json:"number"`
	Status string `json:"status"`
	Block  *struct {
		ID []byte `json:"id"`
	} `json:"block"`
	StateHash []byte `json:"stateHash"`
}

func (l *layer) hasBlock() bool { return l.Block != nil && !bytes.Equal(l.Block.ID, make([]byte, 20)) }

// layers lists applied layers.
func (s *standalone) layers(from, to uint32) []layer {
	s.t.Helper()
	var list struct{ Layers []layer }
	s.ask("LayerService/List", map[string]any{"startLayer": from, "endLayer": to, "limit": 100}, &list)
	return list.Layers
}

// number is a 64-bit integer in JSON.
type number uint64

func (n *number) UnmarshalJSON(raw []byte) error {
	v, err := strconv.ParseUint(string(bytes.Trim(raw, `"`)), 10, 64)
	*n = number(v)
	return err
}

// reward is a reward as RewardService lists it.
type reward struct {
	Layer       uint32 `json:"layer"`
	Total       number `json:"total"`
	LayerReward number `json:"layerReward"`
	Coinbase    string `json:"coinbase"`
	Smesher     []byte `json:"smesher"`
}

// rewards lists all rewards of some layers.
func (s *standalone) rewards(from, to uint32) (all []reward) {
	s.t.Helper()
	for {
		var page struct{ Rewards []reward }
		s.ask("RewardService/List", map[string]any{"startLayer": from, "endLayer": to, "limit": 100, "offset": fmt.Sprint(len(all))}, &page)
		all = append(all, page.Rewards...)
		if len(page.Rewards) < 100 {
			return all
		}
	}
}

// smeshersIn are the identities with an ATX that was published in an epoch.
func (s *standalone) smeshersIn(epoch uint32) map[string]int {
	s.t.Helper()
	out, seen := make(map[string]int), 0
	for {
		var page struct {
			Activations []struct {
				SmesherID []byte `json:"smesherId"`
			}
		}
		s.ask("ActivationService/List", map[string]any{"startEpoch": epoch, "endEpoch": epoch, "limit": 100, "offset": fmt.Sprint(seen)}, &page)
		for _, a := range page.Activations {
			out[string(a.SmesherID)]++
		}
		if seen += len(page.Activations); len(page.Activations) < 100 {
			return out
		}
	}
}

// malicious counts identities with a proof against them.
func (s *standalone) malicious() int {
	s.t.Helper()
	var page struct{ Proofs []json.RawMessage }
	s.ask("MalfeasanceService/List", map[string]any{"limit": 100}, &page)
	return len(page.Proofs)
}

// reach waits until a layer is applied.
func (s *standalone) reach(applied uint32) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		select {
		case <-s.drained:
			s.t.Fatalf("it ended:\n%s", s.out.String())
		default:
		}
		return s.status().Applied >= applied
	}, 5*time.Minute, 100*time.Millisecond)
}
