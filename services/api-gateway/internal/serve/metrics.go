package serve

import (
	"github.com/prometheus/client_golang/prometheus"
)

// Metrics of calls. Methods that are not served never become labels.
type Metrics struct {
	calls   *prometheus.CounterVec
	seconds *prometheus.HistogramVec
	streams prometheus.Gauge
	panics  prometheus.Counter
}

// NewMetrics registers them.
func NewMetrics(r prometheus.Registerer) (*Metrics, error) {
	const namespace = "smeshery_api_gateway"
	m := &Metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "calls_total", Help: "Finished gRPC calls.",
		}, []string{"listener", "method", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "call_seconds", Help: "How long gRPC calls took; streams until they ended.",
			Buckets: []float64{.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10},
		}, []string{"method"}),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: namespace, Name: "open_streams", Help: "Streams that are open now.",
		}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Name: "panics_total", Help: "Handlers that panicked.",
		}),
	}
	for _, c := range []prometheus.Collector{m.calls, m.seconds, m.streams, m.panics} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// CountPanic counts a panic outside of gRPC.
func (m *Metrics) CountPanic() { m.panics.Inc() }
