package test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
)

// program builds the binary once for all tests.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "smeshery-test")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "smeshery")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", path, "./cmd/smeshery")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		return "", &buildError{string(out), err}
	}
	return path, nil
})

type buildError struct {
	output string
	err    error
}

func (e *buildError) Error() string { return e.err.Error() + "\n" + e.output }

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := program(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// smeshery prepares a run of the program.
func smeshery(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := program()
	require.NoError(t, err)
	return exec.CommandContext(t.Context(), path, args...)
}

// report is what a replay says with --json, as far as tests look at it.
type report struct {
	ResumedAfter     uint32       `json:"resumed_after"`
	FirstLayer       uint32       `json:"first_layer"`
	LastLayer        uint32       `json:"last_layer"`
	AppliedLayer     uint32       `json:"applied_layer"`
	LayersCompared   int          `json:"layers_compared"`
	StateRoot        string       `json:"state_root"`
	Differences      int          `json:"differences"`
	FirstDifferences []difference `json:"first_differences"`
}

type difference struct {
	Object string `json:"object"`
	Field  string `json:"field"`
}

// replayToEnd runs a replay and returns its report, exit code and messages.
func replayToEnd(t *testing.T, args ...string) (r report, code int, messages string) {
	t.Helper()
	cmd := smeshery(t, append([]string{"replay", "--json"}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	require.NotNil(t, cmd.ProcessState, "%v", err)
	if out.Len() > 0 {
		require.NoError(t, json.Unmarshal(out.Bytes(), &r), "%s", out.String())
	}
	return r, cmd.ProcessState.ExitCode(), errs.String()
}

// dataDir is a directory for a node. Postgres may outlive a node that was
// killed; it ends with the test.
func dataDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Cleanup(func() {
		_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Name() == "postmaster.pid" {
				raw, _ := os.ReadFile(path)
				first, _, _ := strings.Cut(string(raw), "\n")
				if pid, err := strconv.Atoi(first); err == nil && pid > 1 {
					_ = syscall.Kill(pid, syscall.SIGQUIT)
				}
			}
			return nil
		})
	})
	return dir
}

// recording is the directory of a recorded network.
func recording(name string) string { return filepath.Join(vectors.RecordingsDir(), name) }

// lastRoot is the state root of the last layer that the recording is sure of.
func lastRoot(t *testing.T, dir string) (layer uint32, root string) {
	t.Helper()
	for _, r := range readRows(t, filepath.Join(dir, "layers.jsonl.gz")) {
		if r.StateHash != nil && r.AggregatedHash != nil && r.Layer >= layer {
			layer, root = r.Layer, *r.StateHash
		}
	}
	require.NotEmpty(t, root)
	return layer, root
}
