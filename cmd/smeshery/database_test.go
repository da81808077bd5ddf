package main_test

import (
	"os/exec"
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
