package vectors

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Env variables that name another directory than the repository's.
const (
	DirEnv           = "VECTORS_DIR"
	RecordingsDirEnv = "RECORDINGS_DIR"
)

// File is a vector file: a list of cases under a description.
type File struct {
	Description string            `json:"description"`
	Source      any               `json:"source"`
	Cases       []json.RawMessage `json:"cases"`
}

// Dir is the directory that holds the areas.
func Dir() string { return dirOr(DirEnv, "vectors") }

// RecordingsDir is the directory that holds the recorded networks.
func RecordingsDir() string { return dirOr(RecordingsDirEnv, "recordings") }

func dirOr(env, name string) string {
	if dir := os.Getenv(env); dir != "" {
		return dir
	}
	_, self, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(self), "..", "..", "testdata", name)
}

// Read returns the bytes of <area>/<file>.json, from the plain or the gzipped file.
func Read(name string) ([]byte, error) {
	path := filepath.Join(Dir(), filepath.FromSlash(name)+".json")
	raw, err := os.ReadFile(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return raw, err
	}
	packed, err := os.ReadFile(path + ".gz")
	if err != nil {
		return nil, err
	}
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("%s.gz: %w", path, err)
	}
	return io.ReadAll(zip)
}

// Load reads a whole vector file into out, for files whose top level has more than cases.
func Load(t testing.TB, name string, out any) {
	t.Helper()
	raw, err := Read(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, out); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// Run runs every case of <area>/<file> as a subtest of a subtest named for the
// file. T is the shape of a case; a file without cases fails.
func Run[T any](t *testing.T, name string, check func(t *testing.T, c T)) {
	t.Helper()
	t.Run(name+".json", func(t *testing.T) {
		var file File
		Load(t, name, &file)
		if len(file.Cases) == 0 {
			t.Fatalf("%s has no cases", name)
		}
		for i, raw := range file.Cases {
			var label struct {
				Name string `json:"name"`
			}
			var c T
			if err := json.Unmarshal(raw, &label); err != nil {
				t.Fatalf("case %d: %v", i, err)
			}
			t.Run(fmt.Sprintf("%d/%s", i, label.Name), func(t *testing.T) {
				if err := json.Unmarshal(raw, &c); err != nil {
					t.Fatalf("case does not have the expected shape: %v", err)
				}
				check(t, c)
			})
		}
	})
}

// Hex is bytes written as lowercase hex in a vector.
type Hex []byte

// UnmarshalJSON reads hex; null leaves the value nil.
func (h *Hex) UnmarshalJSON(raw []byte) error {
	var s *string
	if err := json.Unmarshal(raw, &s); err != nil || s == nil {
		return err
	}
	b, err := hex.DecodeString(*s)
	if err != nil {
		return err
	}
	*h = b
	return nil
}

func (h Hex) String() string { return hex.EncodeToString(h) }

// Array32 is the value as 32 bytes; it panics on another length.
func (h Hex) Array32() [32]byte { return [32]byte(h) }

// Uint64 is a 64-bit integer written as a decimal string or as a number.
type Uint64 uint64

// UnmarshalJSON reads both forms.
func (u *Uint64) UnmarshalJSON(raw []byte) error {
	raw = bytes.Trim(raw, `"`)
	_, err := fmt.Sscanf(string(raw), "%d", (*uint64)(u))
	return err
}
