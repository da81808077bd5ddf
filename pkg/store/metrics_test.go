package store_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/outbox"
	"github.com/smeshery/smeshery/pkg/store/storetest"
)

// value is that of a metric without labels, or of the first of its children.
func value(t *testing.T, r *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := r.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		switch m := f.GetMetric()[0]; f.GetType() {
		case dto.MetricType_COUNTER:
			return m.GetCounter().GetValue()
		case dto.MetricType_HISTOGRAM:
			return float64(m.GetHistogram().GetSampleCount())
		default:
			return m.GetGauge().GetValue()
		}
	}
	require.Fail(t, "no such metric", name)
	return 0
}

func TestAPoolIsMeasured(t *testing.T) {
	url := storetest.URL(t, store.Schema{Name: "measured", Parts: []store.Part{outbox.Part()}})
	registry := prometheus.NewPedanticRegistry()
	db, err := store.Open(t.Context(), store.Config{URL: url, Schema: "measured", Metrics: registry})
	require.NoError(t, err)
	const prefix = "smeshery_measured_database_"
	require.InDelta(t, 1, value(t, registry, prefix+"up"), 0)
	require.Positive(t, value(t, registry, prefix+"server_connections"))
	require.Greater(t, value(t, registry, prefix+"server_connections_limit"), value(t, registry, prefix+"server_connections"))
	require.Positive(t, value(t, registry, prefix+"schema_bytes"))
	require.Greater(t, value(t, registry, prefix+"size_bytes"), value(t, registry, prefix+"schema_bytes"))

	before := value(t, registry, prefix+"query_seconds")
	_, err = db.Exec(t.Context(), "SELECT 1")
	require.NoError(t, err)
	require.InDelta(t, before+1, value(t, registry, prefix+"query_seconds"), 0)
	_, err = db.Exec(t.Context(), "SELECT 1 / 0")
	require.Error(t, err)
	require.InDelta(t, 1, value(t, registry, prefix+"query_errors_total"), 0)

	_, err = store.Open(t.Context(), store.Config{URL: url, Schema: "measured", Metrics: registry})
	require.Error(t, err, "two pools under one name")
	db.Close()
}
