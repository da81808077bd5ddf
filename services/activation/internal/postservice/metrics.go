package postservice

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	connected prometheus.Gauge
	proofs    *prometheus.CounterVec
}

func newMetrics(registry prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		connected: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "smeshery_activation_post_services", Help: "Post-services that are connected to this process.",
		}),
		proofs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "smeshery_activation_post_service_proofs_total",
			Help: "Proofs asked of post-services: done, wrong (or refused), gone, dropped (not in time).",
		}, []string{"outcome"}),
	}
	if registry == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.connected, m.proofs} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("post service metrics: %w", err)
		}
	}
	return m, nil
}
