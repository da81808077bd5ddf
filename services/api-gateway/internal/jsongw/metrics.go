package jsongw

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics of requests.
type Metrics struct {
	seconds  *prometheus.HistogramVec
	bytes    *prometheus.HistogramVec
	inflight prometheus.Gauge
}

// NewMetrics registers them.
func NewMetrics(r prometheus.Registerer) (*Metrics, error) {
	const namespace = "smeshery_api_gateway"
	labels := []string{"handler", "method", "code"}
	m := &Metrics{
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "http_request_seconds", Help: "How long HTTP requests took.",
			Buckets: []float64{.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10},
		}, labels),
		bytes: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "http_response_bytes", Help: "Sizes of HTTP responses.",
			Buckets: prometheus.ExponentialBuckets(100, 10, 6),
		}, labels),
		inflight: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: namespace, Name: "http_requests_inflight", Help: "HTTP requests that are being answered.",
		}),
	}
	for _, c := range []prometheus.Collector{m.seconds, m.bytes, m.inflight} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// written notes what a handler answers.
type written struct {
	http.ResponseWriter
	code  int
	bytes int
}

// WriteHeader is http.ResponseWriter.
func (w *written) WriteHeader(code int) {
	if w.code == 0 {
		w.code = code
	}
	w.ResponseWriter.WriteHeader(code)
}

// Write is http.ResponseWriter.
func (w *written) Write(b []byte) (int, error) {
	if w.code == 0 {
		w.code = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += n
	return n, err
}

// Unwrap is for http.ResponseController.
func (w *written) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// around measures requests. Paths that nothing answers share one label.
func (m *Metrics) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at, out := time.Now(), &written{ResponseWriter: w}
		m.inflight.Inc()
		defer func() {
			m.inflight.Dec()
			labels := []string{handlerOf(r.URL.Path, out.code), methodOf(r.Method), strconv.Itoa(out.code)}
			m.seconds.WithLabelValues(labels...).Observe(time.Since(at).Seconds())
			m.bytes.WithLabelValues(labels...).Observe(float64(out.bytes))
		}()
		next.ServeHTTP(out, r)
	})
}

// handlerOf keeps what clients make up out of labels.
func handlerOf(path string, code int) string {
	if code == http.StatusNotFound || len(path) > 128 || strings.Count(path, "/") > 4 {
		return "unknown"
	}
	return path
}

func methodOf(method string) string {
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodHead, http.MethodOptions:
		return method
	}
	return "other"
}
