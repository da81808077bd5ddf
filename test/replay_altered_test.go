package test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReplayNamesWhatDiffers changes one state root in a recording.
func TestReplayNamesWhatDiffers(t *testing.T) {
	source := copyRecording(t, "fastnet-hare4-atx2")
	layer, root := lastRoot(t, source)
	wrong := strings.Repeat("ab", 32)
	rewrite(t, filepath.Join(source, "layers.jsonl.gz"), func(text string) string {
		return strings.Replace(text, `"state_hash":"`+root, `"state_hash":"`+wrong, 1)
	})
	r, code, text := replayToEnd(t, source)
	require.Equal(t, 1, code, text)
	require.Positive(t, r.Differences)
	require.NotEmpty(t, r.FirstDifferences)
	require.NotEmpty(t, r.FirstDifferences[0].Object)
	require.NotEmpty(t, r.FirstDifferences[0].Field)
	require.Equal(t, layer, r.AppliedLayer, "one difference does not end a replay")
}

// TestReplayNamesTheLineThatIsCut ends a file in the middle of a line.
func TestReplayNamesTheLineThatIsCut(t *testing.T) {
	source := copyRecording(t, "fastnet-hare4-atx2")
	var lines int
	rewrite(t, filepath.Join(source, "ballots.jsonl.gz"), func(text string) string {
		lines = strings.Count(text, "\n")
		return text[:len(text)-40]
	})
	_, code, text := replayToEnd(t, source)
	require.Equal(t, 2, code)
	require.Contains(t, text, "ballots")
	require.Regexp(t, `\bline \d+|:\d+`, text, "of %d lines", lines)
}

func copyRecording(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.CopyFS(dir, os.DirFS(recording(name))))
	return dir
}

// rewrite changes the text of a gzipped file.
func rewrite(t *testing.T, path string, change func(text string) string) {
	t.Helper()
	packed, err := os.ReadFile(path)
	require.NoError(t, err)
	unzip, err := gzip.NewReader(bytes.NewReader(packed))
	require.NoError(t, err)
	text, err := io.ReadAll(unzip)
	require.NoError(t, err)
	changed := change(string(text))
	require.NotEqual(t, string(text), changed)
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	_, err = zip.Write([]byte(changed))
	require.NoError(t, err)
	require.NoError(t, zip.Close())
	require.NoError(t, os.WriteFile(path, out.Bytes(), 0o644))
}
