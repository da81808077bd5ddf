package main_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/cli"
	"github.com/smeshery/smeshery/cmd/smeshery/internal/replay"
	"github.com/smeshery/smeshery/cmd/smeshery/internal/source"
	"github.com/smeshery/smeshery/cmd/smeshery/internal/source/sourcetest"
	"github.com/smeshery/smeshery/internal/vectors"
)

// TestMain makes the program smeshery out of this test binary, for scripts and
// for tests that kill it.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"smeshery": func() { os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("RECORDINGS", vectors.RecordingsDir())
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"halve": halve,
			"subst": subst,
		},
	})
}

// halve cuts a file in half.
func halve(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	st, err := os.Stat(path)
	ts.Check(err)
	ts.Check(os.Truncate(path, st.Size()/2))
}

// subst replaces text in a file: subst FILE OLD NEW.
func subst(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	raw, err := os.ReadFile(path)
	ts.Check(err)
	if !bytes.Contains(raw, []byte(args[1])) {
		ts.Fatalf("%s does not have %q", path, args[1])
	}
	ts.Check(os.WriteFile(path, bytes.ReplaceAll(raw, []byte(args[1]), []byte(args[2])), 0o600))
}

// recordings lists the recorded networks.
func recordings(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(vectors.RecordingsDir(), "*", "manifest.json"))
	require.NoError(t, err)
	require.NotEmpty(t, found, "no recordings")
	for i := range found {
		found[i] = filepath.Dir(found[i])
	}
	return found
}

// run runs smeshery replay --json to its end.
func run(t *testing.T, args ...string) (*replay.Report, int) {
	t.Helper()
	cmd := exec.Command("smeshery", append([]string{"replay", "--json"}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	code := cmd.ProcessState.ExitCode()
	if code > 1 {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	var report replay.Report
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &report), stderr.String())
	return &report, code
}

// requireSame checks that everything was compared, and nothing differed.
func requireSame(t *testing.T, dir string, report *replay.Report, code int) {
	t.Helper()
	require.Empty(t, report.First)
	require.Zero(t, report.Differences)
	require.Zero(t, code)
	src, err := source.Open(t.Context(), dir, nil)
	require.NoError(t, err)
	defer src.Close()
	var last source.Layer
	for l, err := range src.Layers(t.Context()) {
		require.NoError(t, err)
		if l.Aggregated != nil {
			last = l
		}
	}
	require.Equal(t, last.Layer, report.LastLayer)
	require.Equal(t, int(last.Layer-report.FirstLayer)+1, report.LayersCompared)
	require.Equal(t, report.LayersCompared, report.LayersApplied)
	require.Equal(t, last.Root.String(), report.StateRoot)
	for _, k := range []source.Kind{source.PoetProofs, source.ATXs, source.Ballots, source.Transactions, source.Accounts, source.Rewards} {
		require.Equal(t, src.Count(k), tally(t, report, k).Compared, k)
	}
}

func tally(t *testing.T, report *replay.Report, k source.Kind) *replay.Tally {
	t.Helper()
	for _, tally := range report.Kinds {
		if tally.Kind == k {
			return tally
		}
	}
	t.Fatalf("no figures of %s", k)
	return nil
}

func TestRecordedNetworksComeOutTheSame(t *testing.T) {
	for _, dir := range recordings(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			report, code := run(t, dir)
			requireSame(t, dir, report, code)
			names := make([]string, 0, len(report.Checks))
			for _, c := range report.Checks {
				require.Positive(t, c.Count)
				names = append(names, c.Name)
			}
			for _, want := range []string{"post", "poet", "vrf", "ed25519"} {
				require.Contains(t, strings.Join(names, " "), want)
			}
		})
	}
}

func TestADatabaseComesOutAsItsRecording(t *testing.T) {
	dir := recordings(t)[len(recordings(t))-1]
	src, err := source.Open(t.Context(), dir, nil)
	require.NoError(t, err)
	defer src.Close()
	path := filepath.Join(t.TempDir(), "state.sql")
	sourcetest.WriteDatabase(t, path, src)
	report, code := run(t, "--config", filepath.Join(dir, "manifest.json"), path)
	requireSame(t, dir, report, code)
}

// What the source states is really compared: each change is found, by name.
func TestEveryStatementIsCompared(t *testing.T) {
	dir := sourcetest.Copy(t, recordings(t)[len(recordings(t))-1])
	changes := []struct{ kind, field, old, new string }{
		{"atxs", "weight", `"weight":`, `"weight":1`},
		{"atxs", "base_tick_height", `"base_tick_height":`, `"base_tick_height":1`},
		{"atxs", "tick_count", `"tick_count":`, `"tick_count":1`},
		{"atxs", "vrf_nonce", `"vrf_nonce":`, `"vrf_nonce":1`},
		{"atxs", "effective_num_units", `"effective_num_units":`, `"effective_num_units":1`},
		{"atxs", "sequence", `"sequence":`, `"sequence":1`},
		{"atxs", "coinbase", `"coinbase":"00000000`, `"coinbase":"00000001`},
		{"atxs", "invalid", `"validity":0`, `"validity":2`},
		{"poet_proofs", "service_id", `"service_id":"`, `"service_id":"00`},
		{"beacons", "beacon", `"beacon":"`, `"beacon":"00`},
		{"blocks", "validity", `"validity":1`, `"validity":-1`},
		{"certificates", "valid", `"valid":1`, `"valid":0`},
		{"layers", "state_hash", `"state_hash":"`, `"state_hash":"00`},
		{"layers", "aggregated_hash", `"aggregated_hash":"`, `"aggregated_hash":"00`},
		{"layers", "weak_coin", `"weak_coin":1`, `"weak_coin":0`},
		{"accounts", "balance", `"balance":`, `"balance":1`},
		{"accounts", "next_nonce", `"next_nonce":`, `"next_nonce":1`},
		{"rewards", "total_reward", `"total_reward":`, `"total_reward":1`},
		{"rewards", "layer_reward", `"layer_reward":`, `"layer_reward":1`},
		{"transactions", "header", `"header":"0000`, `"header":"0001`},
		{"transactions", "result", `"result":"0000`, `"result":"0001`},
	}
	used := make(map[string]int)
	for _, c := range changes {
		path := sourcetest.File(dir, c.kind)
		lines := sourcetest.Lines(t, path)
		// A line of its own for each change, from the middle on.
		i := len(lines)/2 + used[c.kind]
		for ; i < len(lines); i++ {
			if changed := bytes.Replace(lines[i], []byte(c.old), []byte(c.new), 1); !bytes.Equal(changed, lines[i]) {
				lines[i] = cutIDs(changed, c.field)
				break
			}
		}
		require.Less(t, i, len(lines), "no line of %s for %s", c.kind, c.field)
		used[c.kind] = i + 1 - len(lines)/2
		sourcetest.Rewrite(t, path, lines)
	}
	report, code := run(t, dir)
	require.Equal(t, 1, code)
	for _, c := range changes {
		if c.field == "weak_coin" {
			continue // it is input, too
		}
		require.Positive(t, report.ByField[c.kind+"."+c.field], "%s.%s in %v", c.kind, c.field, report.ByField)
	}
	require.NotEmpty(t, report.First)
	require.Contains(t, report.First[0].Place, ".jsonl.gz:")
}

// cutIDs keeps the length of a hex value to which two digits were added.
func cutIDs(line []byte, field string) []byte {
	key := []byte(`"` + field + `":"00`)
	i := bytes.Index(line, key)
	if i < 0 || field == "service_id" || field == "coinbase" || field == "header" || field == "result" {
		return line
	}
	end := i + len(key) + bytes.IndexByte(line[i+len(key):], '"')
	return append(append([]byte{}, line[:end-2]...), line[end:]...)
}
