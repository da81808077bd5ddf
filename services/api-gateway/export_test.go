package apigateway

import (
	"context"
	"log/slog"
	"net/http"
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/services/api-gateway/internal/jsongw"
	"github.com/smeshery/smeshery/services/api-gateway/internal/live"
	"github.com/smeshery/smeshery/services/api-gateway/internal/serve"
	v1 "github.com/smeshery/smeshery/services/api-gateway/internal/v1"
)

// Hub is where a test makes things happen.
func (s *Service) Hub() *live.Hub { return s.hub }

// WithGiven puts constants in the place of what the node knows of its identities
// and of other nodes.
func (d Deps) WithGiven(s v1.Smeshing, n v1.Network, post network.PostParams) Deps {
	d.given = &given{s, n, post}
	return d
}

// ServiceOf makes a service as the catalogue holds them.
func ServiceOf(name string, add func(grpc.ServiceRegistrar), json func(context.Context, *runtime.ServeMux) error) serve.Service {
	return serve.Service{Name: name, GRPC: add, JSON: json}
}

// ServeOne serves a service until the test ends.
func ServeOne(t *testing.T, service serve.Service) (address string, json http.Handler) {
	log, registry := slog.New(slog.DiscardHandler), prometheus.NewRegistry()
	metrics, err := serve.NewMetrics(registry)
	require.NoError(t, err)
	server, err := serve.Listen(t.Context(), serve.Options{
		Name: serve.Public, Address: "127.0.0.1:0", Limits: serve.DefaultLimits(), Log: log, Metrics: metrics,
	}, []serve.Service{service})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	requests, err := jsongw.NewMetrics(registry)
	require.NoError(t, err)
	json, err = jsongw.Handler(t.Context(), jsongw.Options{MaxBody: 1 << 20, Log: log, Metrics: requests, Panics: metrics.CountPanic}, []serve.Service{service})
	require.NoError(t, err)
	return server.Addr().String(), json
}
