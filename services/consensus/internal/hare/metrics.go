package hare

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/smeshery/smeshery/pkg/bus"
)

// Metrics of hare. Nil counts nothing.
type Metrics struct {
	messages, layers    *prometheus.CounterVec
	published, unsigned prometheus.Counter
	late                prometheus.Counter
	speaking            prometheus.Histogram
}

// NewMetrics registers the metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	const prefix = "smeshery_consensus_hare_"
	m := &Metrics{
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "messages_total", Help: "Hare messages from peers by verdict.",
		}, []string{"verdict"}),
		layers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "layers_total", Help: "Layers that hare ended with an agreement or without.",
		}, []string{"outcome"}),
		published: prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + "published_total", Help: "Own hare messages that were handed to gossip."}),
		unsigned:  prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + "unsigned_total", Help: "Own hare messages that were not signed."}),
		late:      prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + "late_total", Help: "Own hare messages that hare did not take any more: their session was over."}),
		speaking: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: prefix + "speaking_seconds", Help: "From the time of a round until its own messages are handed to gossip.",
			Buckets: prometheus.ExponentialBuckets(0.002, 2, 14),
		}),
	}
	for _, outcome := range []string{"agreed", "failed"} {
		m.layers.WithLabelValues(outcome)
	}
	r.MustRegister(m.messages, m.layers, m.published, m.unsigned, m.late, m.speaking)
	return m
}

func (m *Metrics) judged(v bus.Verdict) {
	if m != nil {
		m.messages.WithLabelValues(v.String()).Inc()
	}
}

func (m *Metrics) ended(err error) {
	if m == nil {
		return
	}
	outcome := "agreed"
	if err != nil {
		outcome = "failed"
	}
	m.layers.WithLabelValues(outcome).Inc()
}

func (m *Metrics) said(messages int, after time.Duration) {
	if m != nil && messages > 0 {
		m.published.Add(float64(messages))
		m.speaking.Observe(after.Seconds())
	}
}

func (m *Metrics) unsaid(unsigned, late int) {
	if m != nil {
		m.unsigned.Add(float64(unsigned))
		m.late.Add(float64(late))
	}
}
