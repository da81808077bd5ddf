package smeshing

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/smeshery/smeshery/pkg/atx"
	read "github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/wire"
)

// metrics of a Smesher. Where lives are is asked of them when somebody looks.
type metrics struct {
	s         *Smesher
	published prometheus.Counter
	requests  *prometheus.CounterVec
	failures  *prometheus.CounterVec

	steps, closes, ends *prometheus.Desc
}

// Kinds of requests to PoETs and of ends of rounds, as labels.
const (
	atRegister, atProof = "register", "proof"
	wentWell, wentWrong = "ok", "failed"
)

func newMetrics(s *Smesher) *metrics {
	const prefix = "smeshery_activation_"
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prefix+name, help, labels, nil)
	}
	m := &metrics{
		s:         s,
		published: prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + "atxs_published_total", Help: "ATXs of own identities that were handed to gossip."}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "poet_requests_total", Help: "Registrations at PoETs and fetches of their proofs, all tries of one together.",
		}, []string{"operation", "outcome"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "rounds_failed_total", Help: "Ways to an ATX that ended without one, by reason: poet, expired, refused, initial_post, other.",
		}, []string{"reason"}),
		steps:  desc("identity_steps", "Identities at each step of their lives.", "step"),
		closes: desc("registration_closes_seconds", "Time until the next PoET round begins, with which registration for it ends."),
		ends:   desc("publish_ends_seconds", "Least time that an identity has left to publish the ATX that it works on; none: no such identity."),
	}
	for _, operation := range []string{atRegister, atProof} {
		for _, outcome := range []string{wentWell, wentWrong} {
			m.requests.WithLabelValues(operation, outcome)
		}
	}
	for _, reason := range []string{"poet", "expired", "refused", "initial_post", "other"} {
		m.failures.WithLabelValues(reason)
	}
	return m
}

func (m *metrics) register(r prometheus.Registerer) error {
	if r == nil {
		return nil
	}
	if err := r.Register(m); err != nil {
		return fmt.Errorf("smeshing metrics: %w", err)
	}
	return nil
}

// asked counts a request to a PoET.
func (m *metrics) asked(operation string, err error) {
	outcome := wentWell
	if err != nil {
		outcome = wentWrong
	}
	m.requests.WithLabelValues(operation, outcome).Inc()
}

// reasonOf is why a round failed, as a label.
func reasonOf(err error) string {
	switch {
	case errors.Is(err, atx.ErrPoetUnstable):
		return "poet"
	case errors.Is(err, errInitialPost):
		return "initial_post"
	case errors.Is(err, atx.ErrChallengeExpired):
		return "expired"
	case errors.Is(err, errPermanent):
		return "refused"
	}
	return "other"
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	m.published.Describe(ch)
	m.requests.Describe(ch)
	m.failures.Describe(ch)
	ch <- m.steps
	ch <- m.closes
	ch <- m.ends
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	m.published.Collect(ch)
	m.requests.Collect(ch)
	m.failures.Collect(ch)
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := make(map[read.Step]int)
	var ends time.Time
	for _, p := range m.s.places() {
		count[p.step]++
		if p.publish == 0 || !working(p.step) {
			continue
		}
		ends = earliest(ends, m.s.calendar.PublishEnds(p.publish))
	}
	for _, step := range allSteps {
		gauge(m.steps, float64(count[step]), string(step))
	}
	now := m.s.deps.Alarm.Now()
	gauge(m.closes, m.nextRound(now).Sub(now).Seconds())
	if !ends.IsZero() {
		gauge(m.ends, ends.Sub(now).Seconds())
	}
}

// nextRound is when the next PoET round begins.
func (m *metrics) nextRound(now time.Time) time.Time {
	publish := m.s.calendar.EpochAt(now) + 1
	for !m.s.calendar.RoundStart(publish).After(now) {
		publish++
	}
	return m.s.calendar.RoundStart(publish)
}

var allSteps = [...]read.Step{
	read.StepWaitData, read.StepInit, read.StepInitialPost, read.StepWaitSync, read.StepWaitWindow, read.StepRegister,
	read.StepWaitPoet, read.StepProve, read.StepWaitPublish, read.StepPublish, read.StepPublished,
}

// working tells whether a step is on the way to an ATX.
func working(s read.Step) bool {
	switch s {
	case read.StepRegister, read.StepWaitPoet, read.StepProve, read.StepWaitPublish, read.StepPublish:
		return true
	}
	return false
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// spot is where a life is.
type spot struct {
	step    read.Step
	publish wire.EpochID
}

// places are where the lives are that go on.
func (s *Smesher) places() (out []spot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.lives {
		if p := r.at.Load(); p != nil {
			out = append(out, *p)
		}
	}
	return out
}
