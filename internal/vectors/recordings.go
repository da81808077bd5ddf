package vectors

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Manifest describes a recorded network.
type Manifest struct {
	Network     string                                `json:"network"`
	Preset      string                                `json:"preset"`
	Overrides   map[string]map[string]json.RawMessage `json:"overrides"`
	GenesisTime time.Time                             `json:"genesis_time"`
	ExtraData   string                                `json:"genesis_extra_data"`
	Accounts    map[string]uint64                     `json:"genesis_accounts"`
	ATXVersions map[string]uint8                      `json:"atx_versions"`
	Files       map[string]int                        `json:"files"`
}

// Recordings names the recorded networks.
func Recordings(t testing.TB) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(RecordingsDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	if len(names) == 0 {
		t.Fatalf("no recordings in %s", RecordingsDir())
	}
	return names
}

// ReadManifest reads a recording's manifest.
func ReadManifest(t testing.TB, recording string) (m Manifest) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(RecordingsDir(), recording, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatalf("%s: %v", recording, err)
	}
	return m
}

// Rows reads a file of a recording; T is the shape of a line.
func Rows[T any](t testing.TB, recording, file string) (rows []T) {
	t.Helper()
	f, err := os.Open(filepath.Join(RecordingsDir(), recording, file+".jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	zip, err := gzip.NewReader(f)
	if err != nil {
		t.Fatalf("%s: %v", f.Name(), err)
	}
	lines := bufio.NewScanner(zip)
	lines.Buffer(nil, 1<<26)
	for lines.Scan() {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var row T
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatalf("%s line %d: %v", f.Name(), len(rows)+1, err)
		}
		rows = append(rows, row)
	}
	if err := lines.Err(); err != nil {
		t.Fatalf("%s: %v", f.Name(), err)
	}
	return rows
}
