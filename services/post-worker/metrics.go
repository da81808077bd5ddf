package postworker

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	tasks   *prometheus.CounterVec
	seconds *prometheus.HistogramVec
	running *prometheus.GaugeVec
	spaces  *prometheus.GaugeVec
	labels  prometheus.Counter
	scanned prometheus.Counter
}

const prefix = "smeshery_post_worker_"

func newMetrics(registry prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		tasks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "tasks_total", Help: "Attempts at tasks, by kind and how they ended.",
		}, []string{"kind", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: prefix + "task_seconds", Help: "How long attempts took.", Buckets: prometheus.ExponentialBuckets(0.01, 6, 9),
		}, []string{"kind"}),
		running: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: prefix + "tasks_running", Help: "Attempts that run."}, []string{"kind"}),
		spaces: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: prefix + "spaces", Help: "Identities' data found on disk at start, by state.",
		}, []string{"state"}),
		labels:  prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + "labels_total", Help: "Labels written."}),
		scanned: prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + "scanned_bytes_total", Help: "Bytes of labels read to prove."}),
	}
	if registry == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.tasks, m.seconds, m.running, m.spaces, m.labels, m.scanned} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("post-worker metrics: %w", err)
		}
	}
	return m, nil
}
