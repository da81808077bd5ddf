package test

import (
	"bufio"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReplayGoesOnAfterKill kills a replay in the middle of its layers and starts
// it again: it goes on from there and ends where an undisturbed one ends.
func TestReplayGoesOnAfterKill(t *testing.T) {
	dir, source := dataDir(t), recording("fastnet-hare4-atx2")
	first := smeshery(t, "replay", "--data-dir", dir, source)
	messages, err := first.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, first.Start())
	inLayers := regexp.MustCompile(`\blayer \d+/\d+`)
	lines := bufio.NewScanner(messages)
	reached := false
	for !reached && lines.Scan() {
		reached = inLayers.MatchString(lines.Text())
	}
	require.True(t, reached, "the replay ended before its first layer")
	require.NoError(t, first.Process.Kill())
	require.Error(t, first.Wait())

	r, code, text := replayToEnd(t, "--data-dir", dir, source)
	require.Zero(t, code, text)
	require.Zero(t, r.Differences)
	require.GreaterOrEqual(t, r.ResumedAfter, r.FirstLayer, "it began anew")
	layer, root := lastRoot(t, source)
	require.Equal(t, layer, r.AppliedLayer)
	require.Equal(t, root, r.StateRoot)

	again, code, text := replayToEnd(t, "--data-dir", dir, source)
	require.Zero(t, code, text)
	require.Zero(t, again.Differences)
	require.Equal(t, root, again.StateRoot)
}
