package monitoring_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/deploy/monitoring"
	"github.com/smeshery/smeshery/deploy/monitoring/check"
)

func TestFilesAreCurrent(t *testing.T) {
	files, err := monitoring.Files()
	require.NoError(t, err)
	for name, want := range files {
		have, err := os.ReadFile(filepath.FromSlash(name))
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, have), "%s is stale: make generate", name)
	}
	old, err := filepath.Glob("dashboards/*.json")
	require.NoError(t, err)
	for _, name := range old {
		require.Contains(t, files, filepath.ToSlash(name), "nothing generates %s any more", name)
	}
}

// described collects what collectors say that they measure, whether or not
// anything has happened yet.
type described struct {
	prometheus.Registerer
	names map[string]bool
}

var fqName = regexp.MustCompile(`fqName: "([^"]+)"`)

func (d *described) Register(c prometheus.Collector) error {
	ch := make(chan *prometheus.Desc)
	go func() {
		c.Describe(ch)
		close(ch)
	}()
	for desc := range ch {
		d.names[fqName.FindStringSubmatch(desc.String())[1]] = true
	}
	return d.Registerer.Register(c)
}

func (d *described) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		if err := d.Register(c); err != nil {
			panic(err)
		}
	}
}

func TestEveryMetricExists(t *testing.T) {
	known := everyMetric(t)
	exists := func(name string) bool {
		for _, suffix := range []string{"", "_bucket", "_count", "_sum"} {
			if base, ok := strings.CutSuffix(name, suffix); ok && known[base] {
				return true
			}
		}
		return false
	}
	require.True(t, exists("smeshery_state_applied_layer"))
	require.False(t, exists("smeshery_state_no_such_thing"))
	for _, d := range monitoring.Dashboards() {
		for _, row := range d.Rows {
			for _, p := range row.Panels {
				require.NotEmpty(t, p.Queries, p.Title)
				for _, q := range p.Queries {
					require.NotEmpty(t, monitoring.Metrics(q.Expr))
					for _, name := range monitoring.Metrics(q.Expr) {
						require.True(t, exists(name), "%s / %s: no metric %s", d.Title, p.Title, name)
					}
				}
			}
		}
	}
	for _, g := range monitoring.Groups() {
		for _, a := range g.Alerts {
			for _, name := range monitoring.Metrics(a.Expr) {
				require.True(t, exists(name), "%s: no metric %s", a.Name, name)
			}
		}
	}
}

func TestNoMetricIsOutsideOfItsService(t *testing.T) {
	pattern := regexp.MustCompile(`^(smeshery_(activation|api_gateway|build|consensus|gossip|poet|post_worker|process|state)_|go_|process_)`)
	for name := range everyMetric(t) {
		require.Regexp(t, pattern, name)
	}
}

// TestEveryAlertHasItsEntry reads the files as an operator gets them.
func TestEveryAlertHasItsEntry(t *testing.T) {
	rules, err := os.ReadFile("rules/smeshery.rules.yml")
	require.NoError(t, err)
	runbook, err := os.ReadFile("runbook.md")
	require.NoError(t, err)
	alerts := submatches(`(?m)^ +- alert: (\S+)$`, rules)
	entries := submatches(`(?m)^### (\S+)$`, runbook)
	require.NotEmpty(t, alerts)
	require.ElementsMatch(t, alerts, entries)
	require.Len(t, unique(alerts), len(alerts))
	links := submatches(`(?m)^ +runbook: "deploy/monitoring/runbook.md#(\S+)"$`, rules)
	for i, name := range alerts {
		require.Equal(t, strings.ToLower(name), links[i])
	}
	for _, part := range []string{"Means", "Look", "Do"} {
		require.Len(t, submatches(`(?m)^- \*\*`+part+`:\*\* (\S.*)$`, runbook), len(alerts))
	}
}

func submatches(pattern string, in []byte) (out []string) {
	for _, m := range regexp.MustCompile(pattern).FindAllSubmatch(in, -1) {
		out = append(out, string(m[1]))
	}
	return out
}

func unique(list []string) map[string]bool {
	out := make(map[string]bool)
	for _, s := range list {
		out[s] = true
	}
	return out
}

func TestDashboardsAreImportable(t *testing.T) {
	seen := make(map[string]bool)
	for _, d := range monitoring.Dashboards() {
		raw, err := d.JSON()
		require.NoError(t, err)
		var board struct {
			UID, Title string
			Templating struct{ List []struct{ Name string } }
			Panels     []struct {
				ID         int
				Type       string
				Datasource struct{ UID string }
				GridPos    struct{ X, Y, W, H int }
				Targets    []struct{ RefID, Expr string }
			}
		}
		require.NoError(t, json.Unmarshal(raw, &board))
		require.False(t, seen[board.UID])
		seen[board.UID] = true
		require.Equal(t, "datasource", board.Templating.List[0].Name)
		taken := make(map[[2]int]bool)
		for i, p := range board.Panels {
			require.Equal(t, i+1, p.ID)
			require.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24)
			for x := range p.GridPos.W {
				for y := range p.GridPos.H {
					at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
					require.False(t, taken[at], "%s: panel %d lies on another", board.UID, p.ID)
					taken[at] = true
				}
			}
			if p.Type != "row" {
				require.Equal(t, "${datasource}", p.Datasource.UID)
				require.NotEmpty(t, p.Targets)
			}
			for _, target := range p.Targets {
				require.Contains(t, target.Expr, `network=~"$network"`)
			}
		}
	}
}

func TestNarrow(t *testing.T) {
	for in, want := range map[string]string{
		`max(smeshery_a_b)`:                  `max(smeshery_a_b{network=~"$network"})`,
		`rate(smeshery_a_total{x="y"}[5m])`:  `rate(smeshery_a_total{network=~"$network", x="y"}[5m])`,
		`go_goroutines / process_max_fds`:    `go_goroutines{network=~"$network"} / process_max_fds{network=~"$network"}`,
		`label_replace(x, "s", "a", "", "")`: `label_replace(x, "s", "a", "", "")`,
	} {
		require.Equal(t, want, monitoring.Narrow(in))
	}
}

func TestRulesPassPromtool(t *testing.T) {
	out, err := check.Promtool(t.Context(), "check", "rules", "rules/smeshery.rules.yml")
	require.NoError(t, err, out)
	require.Contains(t, out, "SUCCESS")
}

func TestAlertsFireWhenTheyShould(t *testing.T) {
	cases, err := filepath.Glob("rules/*.test.yml")
	require.NoError(t, err)
	require.NotEmpty(t, cases)
	for _, name := range cases {
		out, err := check.Promtool(t.Context(), "test", "rules", name)
		require.NoError(t, err, out)
	}
}
