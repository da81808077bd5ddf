package cli

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// output is what a command prints. It can be read while it grows.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// place is a directory that Postgres may enter, outside of deep test directories.
func place(t *testing.T) string {
	dir, err := os.MkdirTemp("", "smeshery-cli-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o711))
	return filepath.Join(dir, "net")
}

// start runs a command until the returned function stops it.
func start(t *testing.T, args ...string) (out *output, stop func() int) {
	ctx, cancel := context.WithCancel(t.Context())
	out = new(output)
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, &env{stdout: out, stderr: out}, args) }()
	return out, func() int {
		cancel()
		return <-ended
	}
}

func await(t *testing.T, out *output, pattern string) []string {
	re := regexp.MustCompile(pattern)
	require.Eventually(t, func() bool { return re.MatchString(out.String()) }, 60*time.Second, 20*time.Millisecond, "%s", out)
	return re.FindStringSubmatch(out.String())
}

func TestAStandaloneNetworkStartsAndGoesOn(t *testing.T) {
	dir := place(t)
	ports := []string{
		"--grpc-public-listener", "127.0.0.1:0", "--grpc-private-listener", "127.0.0.1:0", "--poet-listener", "127.0.0.1:18231",
		"--metrics-listener", "127.0.0.1:0", "--data-dir", dir,
	}
	out, stop := start(t, append([]string{"standalone", "--identities", "2"}, ports...)...)
	api := await(t, out, `API +public (127\.0\.0\.1:\d+), private`)[1]
	await(t, out, `identity b [0-9a-f]{8}: `)
	require.Contains(t, out.String(), "begins, genesis")

	answer := new(output)
	code := run(t.Context(), &env{stdout: answer, stderr: answer}, []string{"wallet", "balance", "--data-dir", dir, "--api", api})
	require.Zero(t, code, answer)
	require.Regexp(t, `standalone1\w+ +0 SMH +0 SMH +no`, answer.String())
	answer = new(output)
	code = run(t.Context(), &env{stdout: answer, stderr: answer}, []string{"wallet", "spawn", "--data-dir", dir, "--api", api})
	require.Equal(t, exitError, code)
	require.NotEmpty(t, answer.String())

	other := new(output)
	require.Equal(t, exitError, run(t.Context(), &env{stdout: io.Discard, stderr: other}, append([]string{"standalone"}, ports...)))
	require.Contains(t, other.String(), "another smeshery uses the data directory")

	quarantine := func() (int, string) {
		text := new(output)
		return run(t.Context(), &env{stdout: text, stderr: text}, []string{"identity", "quarantine", "--data-dir", dir}), text.String()
	}
	code, said := quarantine()
	require.Equal(t, exitError, code)
	require.Contains(t, said, "a running node has to stop first")

	began := time.Now()
	require.Zero(t, stop(), out)
	require.Less(t, time.Since(began), 10*time.Second)

	for range 2 {
		code, said = quarantine()
		require.Zero(t, code, said)
		require.Regexp(t, `^nothing is signed for layers up to \d+, and no ATX of epochs up to 1\n$`, said)
	}

	out, stop = start(t, append([]string{"standalone"}, ports...)...)
	await(t, out, `identity b [0-9a-f]{8}: `)
	require.Contains(t, out.String(), "goes on, genesis")
	require.Contains(t, out.String(), "identities 2\n")
	require.Zero(t, stop(), out)
	require.FileExists(t, filepath.Join(dir, "smeshery.log"))
}

func TestAmounts(t *testing.T) {
	for text, want := range map[string]uint64{
		"0": 0, "7": 7, "18446744073709551615": 1<<64 - 1, "1.5SMH": 1_500_000_000, "0.000000001smh": 1, "2 SMH": 2_000_000_000, "18446744073.709551615SMH": 1<<64 - 1,
	} {
		got, err := parseAmount(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "-1", "1.5", "x", "1.5.5SMH", "0.0000000001SMH", "18446744073709551616", "1e5SMH", "1/2SMH", "18446744073.709551616SMH", "SMH"} {
		_, err := parseAmount(text)
		require.Error(t, err, text)
	}
}

func FuzzAmount(f *testing.F) {
	f.Add("1.5SMH")
	f.Fuzz(func(_ *testing.T, text string) { _, _ = parseAmount(text) })
}
