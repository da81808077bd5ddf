package bus

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
)

// Limits of looking at streams.
const (
	streamsEvery   = 5 * time.Second
	streamsTimeout = time.Second
)

// streamMetrics tells how full the streams are.
type streamMetrics struct {
	conn                              *Conn
	messages, bytes, oldest, watchers *prometheus.Desc

	mu     sync.Mutex
	looked time.Time
	seen   []*jetstream.StreamInfo
}

// NewStreamMetrics makes a collector of the streams as the server sees them, under
// the name of the connection's service. One service is enough to have it.
func NewStreamMetrics(c *Conn) prometheus.Collector {
	desc := func(name, help string) *prometheus.Desc {
		prefix := "smeshery_" + strings.ReplaceAll(c.service, "-", "_") + "_stream_"
		return prometheus.NewDesc(prefix+name, help, []string{"stream"}, nil)
	}
	return &streamMetrics{
		conn:     c,
		messages: desc("messages", "Messages in a stream; of GOSSIP_OUT those that are not published yet."),
		bytes:    desc("bytes", "Size of a stream."),
		oldest:   desc("oldest_seconds", "Age of the oldest message in a stream."),
		watchers: desc("consumers", "Consumers of a stream."),
	}
}

// Describe implements prometheus.Collector.
func (m *streamMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.messages, m.bytes, m.oldest, m.watchers} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *streamMetrics) Collect(ch chan<- prometheus.Metric) {
	for _, info := range m.look() {
		put := func(d *prometheus.Desc, v float64) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, info.Config.Name)
		}
		put(m.messages, float64(info.State.Msgs))
		put(m.bytes, float64(info.State.Bytes))
		put(m.watchers, float64(info.State.Consumers))
		age := 0.0
		if info.State.Msgs > 0 {
			age = max(0, time.Since(info.State.FirstTime).Seconds())
		}
		put(m.oldest, age)
	}
}

// look asks the server, unless it was asked a moment ago. Streams that do not
// answer are left out.
func (m *streamMetrics) look() []*jetstream.StreamInfo {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if !m.looked.IsZero() && now.Sub(m.looked) < streamsEvery {
		return m.seen
	}
	ctx, cancel := context.WithTimeout(context.Background(), streamsTimeout)
	defer cancel()
	m.looked, m.seen = now, nil
	for _, cfg := range streams(1) {
		stream, err := m.conn.js.Stream(ctx, cfg.Name)
		if err != nil {
			continue
		}
		m.seen = append(m.seen, stream.CachedInfo())
	}
	return m.seen
}
