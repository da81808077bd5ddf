package state

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/smeshery/smeshery/pkg/bus"
)

// metrics of one service instance.
type metrics struct {
	phases  *prometheus.HistogramVec
	judged  *prometheus.CounterVec
	reverts prometheus.Counter
	txs     *prometheus.CounterVec
}

func newMetrics(s *Service, registry prometheus.Registerer) (*metrics, error) {
	const prefix = "smeshery_state_"
	m := &metrics{
		phases: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: prefix + "layer_seconds", Help: "How long the phases of applying a block took.",
			Buckets: prometheus.ExponentialBuckets(0.001, 3, 10),
		}, []string{"phase"}),
		judged: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "judged_total", Help: "Objects judged, by kind, verdict and broken rule.",
		}, []string{"kind", "verdict", "reason"}),
		reverts: prometheus.NewCounter(prometheus.CounterOpts{
			Name: prefix + "reverts_total", Help: "Requests to revert layers that were served.",
		}),
		txs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "transactions_total", Help: "Transactions of applied blocks, by what became of them.",
		}, []string{"outcome"}),
	}
	if registry == nil {
		return m, nil
	}
	gauge := func(name, help string, f func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: prefix + name, Help: help}, f)
	}
	counter := func(name, help string, f func() float64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: prefix + name, Help: help}, f)
	}
	for _, c := range []prometheus.Collector{
		m.phases, m.judged, m.reverts, m.txs,
		gauge("applied_layer", "The highest applied layer.", func() float64 { return float64(s.ledger.Tip().ID) }),
		gauge("mempool_transactions", "Transactions that the mempool holds.", func() float64 { return float64(s.pool.Len()) }),
		gauge("cached_accounts", "Accounts in the cache.", func() float64 { n, _, _ := s.ledger.CacheStats(); return float64(n) }),
		counter("cache_hits_total", "Accounts found in the cache.", func() float64 { _, n, _ := s.ledger.CacheStats(); return float64(n) }),
		counter("cache_misses_total", "Accounts read from the database.", func() float64 { _, _, n := s.ledger.CacheStats(); return float64(n) }),
		gauge("serving", "1 while this process holds the lease and serves.", func() float64 {
			if s.Ready() == nil {
				return 1
			}
			return 0
		}),
	} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("metrics: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) observe(phase string, took time.Duration) {
	m.phases.WithLabelValues(phase).Observe(took.Seconds())
}

func (m *metrics) judge(kind bus.Kind, j bus.Judgement) {
	m.judged.WithLabelValues(string(kind), j.Verdict.String(), j.Reason).Inc()
}
