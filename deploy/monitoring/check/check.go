package check

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/smeshery/smeshery/deploy/monitoring"
)

// Problem is a query that does not do what it should.
type Problem struct {
	// Where is a dashboard and panel, or an alert.
	Where string
	Expr  string
	What  string
}

func (p Problem) String() string { return p.Where + ": " + p.What + "\n    " + p.Expr }

// answer is that of the query API.
type answer struct {
	Status string
	Error  string
	Data   struct {
		Result []struct {
			Metric map[string]string
			Values [][2]any
			Value  [2]any
		}
		Groups []group
	}
}

type group struct {
	Rules []struct {
		Name, Health, LastError, State string
	}
}

func get(ctx context.Context, address string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = reply.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(reply.Body, 64<<20))
	if err == nil && reply.StatusCode != http.StatusOK && len(body) == 0 {
		err = errors.New(reply.Status)
	}
	if err == nil && reply.StatusCode == http.StatusServiceUnavailable {
		err = errors.New(reply.Status)
	}
	return body, err
}

func ask(ctx context.Context, address string) (answer, error) {
	var a answer
	body, err := get(ctx, address)
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return a, fmt.Errorf("prometheus: %w: %.200s", err, body)
	}
	if a.Status != "success" {
		return a, errors.New(a.Error)
	}
	return a, nil
}

// ready makes a panel's expression one for the query API, as Grafana would for
// the time from to now.
func ready(expr string, window time.Duration) string {
	span := strconv.Itoa(int(window.Seconds())) + "s"
	return strings.NewReplacer("$network", ".*", "$__rate_interval", "30s", "$__range", span).Replace(monitoring.Narrow(expr))
}

// Panels runs every query of every dashboard over the time from from to now, and
// answers those that fail or come without any number, which would be an empty
// panel.
func Panels(ctx context.Context, prometheus string, from time.Time) ([]Problem, error) {
	now := time.Now()
	var problems []Problem
	for _, d := range monitoring.Dashboards() {
		for _, row := range d.Rows {
			for _, p := range row.Panels {
				for _, q := range p.Queries {
					expr := ready(q.Expr, now.Sub(from))
					values := url.Values{
						"query": {expr}, "step": {"1"},
						"start": {strconv.FormatInt(from.Unix(), 10)}, "end": {strconv.FormatInt(now.Unix(), 10)},
					}
					a, err := ask(ctx, prometheus+"/api/v1/query_range?"+values.Encode())
					if ctx.Err() != nil {
						return nil, context.Cause(ctx)
					}
					what := ""
					if err != nil {
						what = err.Error()
					} else if !hasNumber(&a) {
						what = "no data"
					}
					if what != "" {
						problems = append(problems, Problem{d.Title + " / " + p.Title, expr, what})
					}
				}
			}
		}
	}
	return problems, nil
}

func hasNumber(a *answer) bool {
	for i := range a.Data.Result {
		for _, v := range a.Data.Result[i].Values {
			text, _ := v[1].(string)
			if f, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(f) {
				return true
			}
		}
	}
	return false
}

// Rules runs every alert's expression, and looks how Prometheus itself fared with
// its rules. firing are the alerts that fire.
func Rules(ctx context.Context, prometheus string) (problems []Problem, firing []string, err error) {
	for _, g := range monitoring.Groups() {
		for _, a := range g.Alerts {
			_, err := ask(ctx, prometheus+"/api/v1/query?"+url.Values{"query": {a.Expr}}.Encode())
			if ctx.Err() != nil {
				return nil, nil, context.Cause(ctx)
			}
			if err != nil {
				problems = append(problems, Problem{a.Name, a.Expr, err.Error()})
			}
		}
	}
	loaded, err := ask(ctx, prometheus+"/api/v1/rules?type=alert")
	if err != nil {
		return nil, nil, err
	}
	found := 0
	for _, g := range loaded.Data.Groups {
		for _, r := range g.Rules {
			found++
			if r.Health == "err" {
				problems = append(problems, Problem{r.Name, "", r.LastError})
			}
			if r.State == "firing" {
				firing = append(firing, r.Name)
			}
		}
	}
	if found == 0 {
		problems = append(problems, Problem{Where: "rules", What: "Prometheus has loaded none"})
	}
	return problems, firing, nil
}

// Series counts the series that a selector finds now.
func Series(ctx context.Context, prometheus, selector string) (int, error) {
	a, err := ask(ctx, prometheus+"/api/v1/query?"+url.Values{"query": {selector}}.Encode())
	return len(a.Data.Result), err
}
