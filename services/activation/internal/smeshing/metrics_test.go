package smeshing

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

// gathered are the values of counters and gauges by name and labels.
func gathered(t *testing.T, r *prometheus.Registry) map[string]float64 {
	families, err := r.Gather()
	require.NoError(t, err)
	out := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			key := f.GetName()
			for _, l := range m.GetLabel() {
				key += " " + l.GetValue()
			}
			out[key] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return out
}

func TestAnEpochIsMeasured(t *testing.T) {
	p := newSite(t, testNetwork(), 2, 300)
	w := p.start(t, newDB(t), nil, nil)
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, w.metrics.register(registry))
	w.drive(t, func() bool { return w.published(t) == 4 })
	const prefix = "smeshery_activation_"
	now := gathered(t, registry)
	require.GreaterOrEqual(t, now[prefix+"atxs_published_total"], 2.0) // each is counted after its row
	require.GreaterOrEqual(t, now[prefix+"poet_requests_total register ok"], 4.0)
	require.Zero(t, now[prefix+"poet_requests_total register failed"])
	require.Positive(t, now[prefix+"registration_closes_seconds"])
	lives := 0.0
	for _, step := range allSteps {
		lives += now[prefix+"identity_steps "+string(step)]
	}
	require.InDelta(t, 2, lives, 0)
	w.stop()
	require.Empty(t, w.places())
}
