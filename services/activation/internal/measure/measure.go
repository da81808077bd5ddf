package measure

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Kind of verification whose time is counted apart.
type Kind string

// Kinds.
const (
	Post     Kind = "post" // with its proof of work
	VRFNonce Kind = "vrf_nonce"
	Poet     Kind = "poet"
	Ed25519  Kind = "ed25519"
)

// Metrics of one service instance.
type Metrics struct {
	seconds  *prometheus.CounterVec
	checks   *prometheus.CounterVec
	waits    *prometheus.CounterVec
	objects  *prometheus.CounterVec
	batches  *prometheus.HistogramVec
	again    prometheus.Counter
	Signing  *prometheus.CounterVec // by slot kind and outcome
	Audited  prometheus.Counter
	Held     prometheus.Gauge
	GuardRun prometheus.Histogram
}

const prefix = "smeshery_activation_"

// New registers the metrics; registry may be nil.
func New(registry prometheus.Registerer) (*Metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, labels)
	}
	m := &Metrics{
		seconds: counter("verify_seconds_total", "Time of cores spent on verification, by kind.", "kind"),
		checks:  counter("verify_total", "Verifications made, by kind.", "kind"),
		waits:   counter("verify_wait_seconds_total", "Time that batches stood still for verification, by kind.", "kind"),
		objects: counter("objects_total", "Objects judged, by kind, verdict and reason.", "object", "verdict", "reason"),
		batches: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: prefix + "batch_objects", Help: "Objects judged together.",
			Buckets: prometheus.ExponentialBuckets(1, 4, 7),
		}, []string{"object"}),
		again: prometheus.NewCounter(prometheus.CounterOpts{
			Name: prefix + "judged_again_total", Help: "Batches judged again because another writer was faster.",
		}),
		Signing: counter("signatures_total", "Signatures asked for, by kind of slot and outcome.", "slot", "outcome"),
		Audited: prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + "audit_total", Help: "Audit events written."}),
		Held:    prometheus.NewGauge(prometheus.GaugeOpts{Name: prefix + "identities", Help: "Identities held under a lease."}),
		GuardRun: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: prefix + "guard_seconds", Help: "From a request for signatures to the commit of its rows.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 4, 8),
		}),
	}
	if registry == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{
		m.seconds, m.checks, m.waits, m.objects, m.batches, m.again, m.Signing, m.Audited, m.Held, m.GuardRun,
	} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("activation metrics: %w", err)
		}
	}
	return m, nil
}

// Verified counts verifications and the time a core spent on them.
func (m *Metrics) Verified(k Kind, n int, took time.Duration) {
	m.checks.WithLabelValues(string(k)).Add(float64(n))
	m.seconds.WithLabelValues(string(k)).Add(took.Seconds())
}

// Waited counts time in which a batch did nothing but wait for verifications.
func (m *Metrics) Waited(k Kind, took time.Duration) {
	m.waits.WithLabelValues(string(k)).Add(took.Seconds())
}

// Judged counts an object and its verdict.
func (m *Metrics) Judged(object, verdict, reason string) {
	m.objects.WithLabelValues(object, verdict, reason).Inc()
}

// Batch counts a batch's size.
func (m *Metrics) Batch(object string, n int) { m.batches.WithLabelValues(object).Observe(float64(n)) }

// Again counts a batch that had to be judged once more.
func (m *Metrics) Again() { m.again.Inc() }
