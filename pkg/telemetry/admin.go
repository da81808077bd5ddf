package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/pprof"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// NewRegistry makes the registry of a service instance.
func NewRegistry() *prometheus.Registry { return prometheus.NewPedanticRegistry() }

// NewProcessRegistry makes the registry of the process itself: one per
// process, beside those of the services in it.
func NewProcessRegistry(version string) *prometheus.Registry {
	r := prometheus.NewRegistry()
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "smeshery_build_info", Help: "Always 1; the version is a label.",
		ConstLabels: prometheus.Labels{"version": version},
	})
	info.Set(1)
	r.MustRegister(info, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// Admin is an admin server's content.
type Admin struct {
	// Metrics is one registry, or prometheus.Gatherers over several.
	Metrics prometheus.Gatherer
	// Ready holds a check for each part that has to be ready, by name.
	Ready map[string]func() error
	// Log is told of requests that fail on our side; may be nil.
	Log *slog.Logger
}

// Handler answers admin requests.
func (a Admin) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(a.Metrics, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError,
		ErrorLog:      promLog{a.Log},
	}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", a.ready)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

func (a Admin) ready(w http.ResponseWriter, _ *http.Request) {
	var lines []string
	status := http.StatusOK
	for _, name := range slices.Sorted(maps.Keys(a.Ready)) {
		word := "ready"
		if err := a.Ready[name](); err != nil {
			word, status = err.Error(), http.StatusServiceUnavailable
		}
		lines = append(lines, name+": "+word)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, strings.Join(lines, "\n"))
}

// Serve answers on a listener, which it closes, until ctx ends. It returns when
// running requests have ended or had two seconds.
func (a Admin) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{Handler: a.Handler(), ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("admin server: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := server.Shutdown(grace); errors.Is(err, context.DeadlineExceeded) {
		_ = server.Close() // a profile that somebody still takes
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("admin server: %w", err)
	}
	return nil
}

// promLog gives promhttp's errors to slog.
type promLog struct{ log *slog.Logger }

func (p promLog) Println(v ...any) {
	if p.log != nil {
		p.log.Error("metrics were not gathered", KeyErr, strings.TrimSpace(fmt.Sprintln(v...)))
	}
}
