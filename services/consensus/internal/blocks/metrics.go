package blocks

import "github.com/prometheus/client_golang/prometheus"

// Metrics of making blocks. Nil counts nothing.
type Metrics struct {
	layers    *prometheus.CounterVec
	certified prometheus.Counter
}

// How a layer's output ended.
const (
	asEmpty     = "empty"
	asBlock     = "block"
	asExecuted  = "executed" // before there was a block
	asNoOutput  = "none"
	metricsName = "smeshery_consensus_"
)

// NewMetrics registers the metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		layers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: metricsName + "hare_outputs_total", Help: "Outputs of hare by what was made of them.",
		}, []string{"made"}),
		certified: prometheus.NewCounter(prometheus.CounterOpts{
			Name: metricsName + "certify_published_total", Help: "Own certify messages that were handed to gossip.",
		}),
	}
	for _, how := range []string{asEmpty, asBlock, asExecuted, asNoOutput} {
		m.layers.WithLabelValues(how)
	}
	r.MustRegister(m.layers, m.certified)
	return m
}

func (m *Metrics) made(how string) {
	if m != nil {
		m.layers.WithLabelValues(how).Inc()
	}
}

func (m *Metrics) published(messages int) {
	if m != nil {
		m.certified.Add(float64(messages))
	}
}
