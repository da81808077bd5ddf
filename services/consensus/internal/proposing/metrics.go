package proposing

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/smeshery/smeshery/pkg/signing"
)

// Metrics of proposing.
type Metrics struct {
	built, late prometheus.Counter
	delay       prometheus.Histogram
	unsigned    *prometheus.CounterVec
}

// NewMetrics registers the metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	const prefix = "smeshery_consensus_proposals_"
	m := &Metrics{
		built: prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + "built_total", Help: "Proposals of this node's identities that were handed over to be published."}),
		late:  prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + "late_total", Help: "Those that were handed over after hare's preround began."}),
		delay: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: prefix + "delay_seconds", Help: "From the start of a layer until its proposals are handed over.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 14),
		}),
		unsigned: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "unsigned_total", Help: "Signatures and proofs for proposals that were refused, or that nobody gave.",
		}, []string{"what"}),
	}
	for _, what := range []string{signing.Proposal.String(), signing.Ballot.String(), "eligibility"} {
		m.unsigned.WithLabelValues(what)
	}
	r.MustRegister(m.built, m.late, m.delay, m.unsigned)
	return m
}
