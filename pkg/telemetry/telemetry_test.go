package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/telemetry"
)

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(b)
}

func TestAdmin(t *testing.T) {
	var trouble atomic.Bool
	var life telemetry.Lifecycle
	reg := telemetry.NewRegistry()
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: "smeshery_state_layers_total", Help: "Layers."})
	reg.MustRegister(c)
	c.Add(3)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	admin := telemetry.Admin{
		Metrics: prometheus.Gatherers{reg, telemetry.NewProcessRegistry("v1")},
		Ready: map[string]func() error{"state": life.Ready, "bus": func() error {
			if trouble.Load() {
				return errors.New("nats is away")
			}
			return nil
		}},
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- admin.Serve(ctx, l) }()
	base := "http://" + l.Addr().String()

	code, body := get(t, base+"/readyz")
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Equal(t, "bus: ready\nstate: starting\n", body)
	life.Advance(telemetry.Serving)
	code, _ = get(t, base+"/readyz")
	require.Equal(t, http.StatusOK, code)
	trouble.Store(true)
	code, body = get(t, base+"/readyz")
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Contains(t, body, "bus: nats is away")
	code, _ = get(t, base+"/healthz")
	require.Equal(t, http.StatusOK, code)

	_, body = get(t, base+"/metrics")
	require.Contains(t, body, "smeshery_state_layers_total 3")
	require.Contains(t, body, `smeshery_build_info{version="v1"} 1`)
	require.Contains(t, body, "go_goroutines")
	code, body = get(t, base+"/debug/pprof/goroutine?debug=1")
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, body, "goroutine profile")
	code, _ = get(t, base+"/")
	require.Equal(t, http.StatusNotFound, code)

	cancel()
	require.NoError(t, <-ended)
	_, err = net.Dial("tcp", l.Addr().String())
	require.Error(t, err)
}

func TestAdminTellsWhenItsListenerBreaks(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	require.Error(t, telemetry.Admin{Metrics: telemetry.NewRegistry()}.Serve(t.Context(), l))
}

func TestTheLifecycleOnlyGoesForward(t *testing.T) {
	var l telemetry.Lifecycle
	require.EqualError(t, l.Ready(), "starting")
	l.Advance(telemetry.Serving)
	l.Advance(telemetry.Recovering)
	require.NoError(t, l.Ready())
	l.Advance(telemetry.Draining)
	require.EqualError(t, l.Ready(), "draining")
	l.Advance(telemetry.Stopped)
	require.Equal(t, "stopped", l.State().String())
}

func TestLoggers(t *testing.T) {
	var out bytes.Buffer
	cfg := telemetry.DefaultLogConfig()
	require.NoError(t, cfg.Validate())
	cfg.Format = "json"
	log := telemetry.ForService(telemetry.NewLogger(&out, cfg, slog.String(telemetry.KeyVersion, "v1")), "state")
	log.Debug("hidden")
	log.Info("applied", telemetry.KeyLayer, 7)
	var line map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &line))
	require.Equal(t, "applied", line["msg"])
	require.Equal(t, []any{"v1", "state", 7.0}, []any{line["version"], line["service"], line["layer"]})

	out.Reset()
	telemetry.NewLogger(&out, telemetry.DefaultLogConfig()).Info("x")
	require.Contains(t, out.String(), "msg=x")
	require.Error(t, telemetry.LogConfig{Format: "xml"}.Validate())
}
