package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/post/postdata"
)

func postRun(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(t.Context(), &env{stdout: &out, stderr: &err}, append([]string{"post"}, args...))
	return code, out.String(), err.String()
}

func TestPostByHand(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	small := []string{"--dir", dir, "--preset", "fastnet"}
	with := func(command string, more ...string) []string {
		return append(append([]string{command}, small...), more...)
	}
	commitment := strings.Repeat("ab", 32)
	code, _, stderr := postRun(t, with("init", "--num-units", "2")...)
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "--commitment is missing")
	code, stdout, stderr := postRun(t, with("init", "--num-units", "2", "--commitment", commitment, "--max-file-size", "2048")...)
	require.Equal(t, exitOK, code, stderr)
	require.Contains(t, stdout, "2 units of 128 labels")
	code, _, stderr = postRun(t, with("init")...) // all is known, and done
	require.Equal(t, exitOK, code, stderr)
	code, _, stderr = postRun(t, with("init", "--id", commitment)...)
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "says identity")
	code, _, stderr = postRun(t, with("init", "--commitment", strings.Repeat("cd", 32))...)
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "bound to ATX")

	code, stdout, _ = postRun(t, "info", "--dir", dir, "--json")
	require.Equal(t, exitOK, code)
	var info spaceInfo
	require.NoError(t, json.Unmarshal([]byte(stdout), &info))
	require.Equal(t, commitment, info.Commitment)
	require.True(t, info.Complete && info.Key)
	require.EqualValues(t, 256, info.OnDisk)
	code, stdout, _ = postRun(t, "info", "--dir", dir)
	require.Equal(t, exitOK, code)
	require.Contains(t, stdout, "complete")

	code, proof, stderr := postRun(t, with("prove", "--challenge", strings.Repeat("07", 32))...)
	require.Equal(t, exitOK, code, stderr)
	file := filepath.Join(t.TempDir(), "proof.json")
	require.NoError(t, os.WriteFile(file, []byte(proof), 0o600))
	code, stdout, stderr = postRun(t, "verify", "--preset", "fastnet", "--proof", file)
	require.Equal(t, exitOK, code, stderr)
	require.Equal(t, "good\n", stdout)
	var p proofFile
	require.NoError(t, json.Unmarshal([]byte(proof), &p))
	p.Metadata.Challenge[3]++
	raw, err := json.Marshal(p)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, raw, 0o600))
	code, stdout, _ = postRun(t, with("verify", "--proof", file)...)
	require.Equal(t, exitDifferent, code)
	require.Contains(t, stdout, "bad: ")

	code, stdout, stderr = postRun(t, with("verify", "--percent", "100")...)
	require.Equal(t, exitOK, code, stderr)
	require.Contains(t, stdout, "good")
	first := filepath.Join(dir, postdata.FileName(0))
	labels, err := os.ReadFile(first)
	require.NoError(t, err)
	labels[5] ^= 1
	require.NoError(t, os.WriteFile(first, labels, 0o600))
	code, stdout, _ = postRun(t, with("verify", "--percent", "100")...)
	require.Equal(t, exitDifferent, code)
	require.Contains(t, stdout, postdata.FileName(0))
	labels[5] ^= 1
	require.NoError(t, os.WriteFile(first, labels, 0o600))

	m, err := postdata.LoadMetadata(dir)
	require.NoError(t, err)
	want := *m.Nonce
	m.Nonce, m.NonceValue = nil, nil
	require.NoError(t, postdata.SaveMetadata(dir, m))
	code, stdout, _ = postRun(t, "info", "--dir", dir)
	require.Equal(t, exitDifferent, code)
	require.Contains(t, stdout, "none yet")
	code, _, stderr = postRun(t, with("nonce")...)
	require.Equal(t, exitOK, code, stderr)
	m, err = postdata.LoadMetadata(dir)
	require.NoError(t, err)
	require.Equal(t, want, *m.Nonce)

	code, _, _ = postRun(t, with("reset")...)
	require.Equal(t, exitError, code)
	code, _, stderr = postRun(t, with("reset", "--yes")...)
	require.Equal(t, exitOK, code, stderr)
	require.NoFileExists(t, filepath.Join(dir, post.MetadataFile))
	require.FileExists(t, filepath.Join(dir, postKeyFile))
}

func TestPostSaysWhatIsWrong(t *testing.T) {
	for says, args := range map[string][]string{
		"no command \"dance\"":     {"dance"},
		"--dir is missing":         {"info"},
		"it takes no arguments":    {"info", "--dir", "x", "y"},
		"unknown":                  {"init", "--dir", "x", "--preset", "unknown"},
		"metadata file is missing": {"prove", "--dir", "nowhere"},
		"--num-units is missing":   {"init", "--dir", "nowhere"},
		"not 32 bytes":             {"init", "--dir", "nowhere", "--num-units", "4", "--id", "zz"},
	} {
		code, _, stderr := postRun(t, args...)
		require.Equal(t, exitError, code, says)
		require.Contains(t, stderr, says)
	}
	code, stdout, _ := postRun(t)
	require.Equal(t, exitOK, code)
	require.Contains(t, stdout, "post prove")
	code, stdout, _ = postRun(t, "prove", "--help")
	require.Equal(t, exitOK, code)
	require.Contains(t, stdout, "--challenge")
}
