package main_test

import (
	"context"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/store/storetest"
)

// A database that runs already takes the place of the private one, and belongs
// to one network too.
func TestAnExternalDatabase(t *testing.T) {
	all := recordings(t)
	url := storetest.URL(t)
	out, err := exec.Command("smeshery", "migrate", "--database", url).CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "schema consensus is up to date")
	dir := all[len(all)-1]
	report, code := run(t, "--database", url, dir)
	requireSame(t, dir, report, code)
	report, code = run(t, "--database", url, dir)
	requireSame(t, dir, report, code)
	require.Equal(t, report.LastLayer, report.ResumedAfter)
	out, err = exec.Command("smeshery", "replay", "--database", url, all[0]).CombinedOutput()
	require.Error(t, err)
	require.Regexp(t, "another (network|genesis)", string(out))
}

var waitingLine = regexp.MustCompile(`waiting since \d+s: [a-z]+ .*: (internal|unavailable)`)

// An external database that goes away in the middle of a replay is waited for,
// and the user is told what for. Once it is back the replay goes on.
func TestAnExternalDatabaseGoesAwayForAWhile(t *testing.T) {
	dir, data := recordings(t)[0], t.TempDir()
	server := storetest.Server(t, data, nil)
	url := server.URL(server.Database())
	cmd, lines := follow(t, func(_ *exec.Cmd, line string) bool { return layerLine.MatchString(line) }, "--database", url, dir)
	server.Stop(context.Background())
	var rest []string
	waited := false
	for lines.Scan() {
		rest = append(rest, lines.Text())
		if !waited && waitingLine.MatchString(lines.Text()) {
			waited = true
			again := storetest.Server(t, data, nil)
			require.Equal(t, url, again.URL(again.Database()))
		}
	}
	require.NoError(t, cmd.Wait(), strings.Join(rest, "\n"))
	require.True(t, waited, strings.Join(rest, "\n"))
	require.NotContains(t, strings.Join(rest, "\n"), "going on after layer", "it is the same run")
	report, code := run(t, "--database", url, dir)
	requireSame(t, dir, report, code)
	require.Equal(t, report.LastLayer, report.ResumedAfter)
}
