package poet

import (
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics of one service instance.
type metrics struct {
	requests *prometheus.HistogramVec
	proved   prometheus.Counter
}

func newMetrics(registry prometheus.Registerer, s *Service) (*metrics, error) {
	const prefix = "smeshery_poet_"
	m := &metrics{
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: prefix + "request_seconds", Help: "How long requests took, by operation and HTTP status.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}, []string{"operation", "status"}),
		proved: prometheus.NewCounter(prometheus.CounterOpts{
			Name: prefix + "rounds_proved_total", Help: "Rounds that this process proved.",
		}),
	}
	if registry == nil {
		return m, nil
	}
	gauge := func(name, help string, f func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: prefix + name, Help: help}, f)
	}
	for _, c := range []prometheus.Collector{
		m.requests, m.proved,
		gauge("members", "Registrations of the open round, as far as they came here.", func() float64 {
			if r := s.registry.Load(); r != nil {
				return float64(r.Members())
			}
			return 0
		}),
		gauge("leaves", "Leaves of the round at work.", func() float64 {
			if w := s.worker.Load(); w != nil {
				_, leaves := w.Leaves()
				return float64(leaves)
			}
			return 0
		}),
		gauge("work_round", "The round at work; 0 also without one.", func() float64 {
			if w := s.worker.Load(); w != nil {
				round, _ := w.Leaves()
				return float64(round)
			}
			return 0
		}),
		gauge("registration_closes_seconds", "Time until the open round begins.", func() float64 {
			now := s.deps.Now()
			return s.schedule.RoundStart(s.schedule.OpenRound(now)).Sub(now).Seconds()
		}),
		gauge("open_round", "The round that takes registrations.", func() float64 {
			return float64(s.schedule.OpenRound(s.deps.Now()))
		}),
	} {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// answered counts a request; paths are made few.
func (m *metrics) answered(path string, status int, took time.Duration) {
	operation := "other"
	switch path {
	case "/v1/info", "/v1/pow_params", "/v1/submit":
		operation = path[len("/v1/"):]
	default:
		if strings.HasPrefix(path, "/v1/proofs/") {
			operation = "proof"
		}
	}
	m.requests.WithLabelValues(operation, strconv.Itoa(status)).Observe(took.Seconds())
}
