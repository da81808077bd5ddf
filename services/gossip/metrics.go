package gossip

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/smeshery/smeshery/pkg/bus"
)

// metrics of one service instance.
type metrics struct {
	outgoing  *prometheus.CounterVec
	took      *prometheus.HistogramVec
	unfetched prometheus.Counter
}

func newMetrics(registry prometheus.Registerer, seen *seen, conn *bus.Conn) (*metrics, error) {
	const prefix = "smeshery_gossip_"
	m := &metrics{
		outgoing: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "own_messages_total", Help: "Messages of this node, by topic and what became of them.",
		}, []string{"topic", "outcome"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: prefix + "judge_seconds", Help: "How long owners took to judge messages of this node.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 4, 8),
		}, []string{"topic"}),
		unfetched: prometheus.NewCounter(prometheus.CounterOpts{
			Name: prefix + "unfetched_objects_total", Help: "Objects asked for that no peer was there to give.",
		}),
	}
	for _, topic := range bus.GossipTopics() {
		for _, outcome := range []string{"accept", "ignore", "reject", "duplicate", "given_up", "retried"} {
			m.outgoing.WithLabelValues(string(topic), outcome)
		}
	}
	if registry == nil {
		return m, nil
	}
	remembered := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: prefix + "remembered_messages", Help: "Messages that are known as published.",
	}, func() float64 { return float64(seen.len()) })
	peers := prometheus.NewGauge(prometheus.GaugeOpts{Name: prefix + "peers", Help: "Peers that are connected; a network of this node alone has none."})
	for _, c := range []prometheus.Collector{m.outgoing, m.took, m.unfetched, remembered, peers, bus.NewStreamMetrics(conn)} {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) said(topic bus.GossipTopic, outcome string) {
	m.outgoing.WithLabelValues(string(topic), outcome).Inc()
}

func (m *metrics) judged(topic bus.GossipTopic, took time.Duration) {
	m.took.WithLabelValues(string(topic)).Observe(took.Seconds())
}
