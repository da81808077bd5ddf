package bus

import (
	"errors"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/smeshery/smeshery/pkg/actor"
)

// metrics of one connection. Labels are subjects, which are bounded by what
// this package declares, and codes.
type metrics struct {
	conn    *Conn
	calls   *prometheus.CounterVec
	served  *prometheus.CounterVec
	seconds *prometheus.HistogramVec
	panics  *prometheus.CounterVec

	length, bytes, oldest, dropped, refused *prometheus.Desc
}

func newMetrics(service string, c *Conn) *metrics {
	prefix := "smeshery_" + strings.ReplaceAll(service, "-", "_") + "_bus_"
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, labels)
	}
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc(prefix+name, help, []string{"subject"}, nil)
	}
	return &metrics{
		conn:   c,
		calls:  counter("calls_total", "Requests sent, by how they ended.", "subject", "code"),
		served: counter("requests_total", "Requests answered, by code.", "subject", "code"),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    prefix + "request_seconds",
			Help:    "From arrival to answer, queue included.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 4, 9),
		}, []string{"subject"}),
		panics:  counter("panics_total", "Handlers that panicked.", "subject"),
		length:  desc("queue_length", "Messages that wait."),
		bytes:   desc("queue_bytes", "Bytes that wait."),
		oldest:  desc("queue_oldest_seconds", "Age of the message that waits longest."),
		dropped: desc("queue_dropped_total", "Messages evicted by newer ones."),
		refused: desc("queue_refused_total", "Messages answered busy on arrival."),
	}
}

func (m *metrics) called(subject string, err error) {
	code := Code("ok")
	if err != nil && !errors.As(err, &code) {
		code = "failed"
	}
	m.calls.WithLabelValues(subject, string(code)).Inc()
}

func (m *metrics) handled(subject string, code Code, took time.Duration) {
	m.served.WithLabelValues(subject, string(code)).Inc()
	m.seconds.WithLabelValues(subject).Observe(took.Seconds())
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	m.calls.Describe(ch)
	m.served.Describe(ch)
	m.seconds.Describe(ch)
	m.panics.Describe(ch)
	for _, d := range []*prometheus.Desc{m.length, m.bytes, m.oldest, m.dropped, m.refused} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	m.calls.Collect(ch)
	m.served.Collect(ch)
	m.seconds.Collect(ch)
	m.panics.Collect(ch)
	for subject, st := range m.queues() {
		put := func(d *prometheus.Desc, t prometheus.ValueType, v float64) {
			ch <- prometheus.MustNewConstMetric(d, t, v, subject)
		}
		put(m.length, prometheus.GaugeValue, float64(st.Length))
		put(m.bytes, prometheus.GaugeValue, float64(st.Bytes))
		put(m.oldest, prometheus.GaugeValue, st.Oldest.Seconds())
		put(m.dropped, prometheus.CounterValue, float64(st.Dropped))
		put(m.refused, prometheus.CounterValue, float64(st.Refused))
	}
}

// queues adds up the queues of each subject: a topic may have several.
func (m *metrics) queues() map[string]actor.Stats {
	sum := make(map[string]actor.Stats)
	for _, s := range m.conn.subscriptions() {
		a, b := sum[s.subject], s.box.Stats()
		sum[s.subject] = actor.Stats{
			Length:  a.Length + b.Length,
			Bytes:   a.Bytes + b.Bytes,
			Oldest:  max(a.Oldest, b.Oldest),
			Dropped: a.Dropped + b.Dropped,
			Refused: a.Refused + b.Refused,
		}
	}
	return sum
}
