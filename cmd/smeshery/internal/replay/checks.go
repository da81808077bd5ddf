package replay

import (
	"cmp"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Check is what one kind of verification took.
type Check struct {
	Name  string  `json:"name"`
	Count float64 `json:"count"`
	// Seconds is time of cores, summed over all that worked at once.
	Seconds float64 `json:"seconds"`
}

// Suffixes of the services' metrics about verification: with a label "kind", or
// with the kind in the name.
const (
	countSuffix   = "_verify_total"
	secondsSuffix = "_verify_seconds_total"
	namedCount    = "_verifications_total"
	namedSeconds  = "_verification_seconds_total"
)

// checks reads the cost of each kind of verification from the services' metrics.
func checks(g prometheus.Gatherers) []Check {
	families, _ := g.Gather() // an incomplete answer is worth showing
	found := make(map[string]*Check)
	get := func(name string) *Check {
		if found[name] == nil {
			found[name] = &Check{Name: name}
		}
		return found[name]
	}
	for _, f := range families {
		service, metric, ok := strings.Cut(strings.TrimPrefix(f.GetName(), "smeshery_"), "_")
		if !ok {
			continue
		}
		metric = "_" + metric
		for _, m := range f.GetMetric() {
			value := m.GetCounter().GetValue()
			switch {
			case metric == countSuffix:
				get(service + " " + kindLabel(m)).Count += value
			case metric == secondsSuffix:
				get(service + " " + kindLabel(m)).Seconds += value
			case strings.HasSuffix(metric, namedCount):
				get(service + " " + strings.Trim(strings.TrimSuffix(metric, namedCount), "_")).Count += value
			case strings.HasSuffix(metric, namedSeconds):
				get(service + " " + strings.Trim(strings.TrimSuffix(metric, namedSeconds), "_")).Seconds += value
			}
		}
	}
	var out []Check
	for _, c := range found {
		if c.Count > 0 {
			out = append(out, *c)
		}
	}
	slices.SortFunc(out, func(a, b Check) int { return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), cmp.Compare(a.Name, b.Name)) })
	return out
}

func kindLabel(m *dto.Metric) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == "kind" {
			return l.GetValue()
		}
	}
	return "all"
}
