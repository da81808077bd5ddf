package lease

import (
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics of a holder.
type metrics struct {
	changes *prometheus.CounterVec
	failed  prometheus.Counter
}

func (h *Holder) measure() error {
	prefix := "smeshery_" + strings.ReplaceAll(h.db.Schema(), "-", "_") + "_lease_"
	h.metrics = metrics{
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "changes_total", Help: "Beginnings and ends of tenures: acquired, lost, resigned.",
		}, []string{"what"}),
		failed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: prefix + "rounds_failed_total", Help: "Rounds of renewal that failed, in whole or in part.",
		}),
	}
	for _, what := range []What{Acquired, Lost, Resigned} {
		h.metrics.changes.WithLabelValues(string(what))
	}
	if h.cfg.Metrics == nil {
		return nil
	}
	gauge := func(name, help string, f func() int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: prefix + name, Help: help}, func() float64 { return float64(f()) })
	}
	for _, c := range []prometheus.Collector{
		h.metrics.changes, h.metrics.failed,
		gauge("held", "Leases that are held, inside their trust windows.", func() int { return len(h.Held()) }),
		gauge("wanted", "Leases that this process tries to hold.", h.wants),
	} {
		if err := h.cfg.Metrics.Register(c); err != nil {
			return fmt.Errorf("lease metrics: %w", err)
		}
	}
	return nil
}

func (h *Holder) wants() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.wanted)
}
