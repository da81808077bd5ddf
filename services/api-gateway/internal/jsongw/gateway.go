package jsongw

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"golang.org/x/net/netutil"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/smeshery/smeshery/services/api-gateway/internal/serve"
)

// Limits of spec 09 §9, and bounds on what it leaves open.
const (
	readTimeout    = 15 * time.Second
	writeTimeout   = 15 * time.Second
	idleTimeout    = 2 * time.Minute
	maxHeader      = 2 << 20
	maxConnections = 4096
	stopLimit      = time.Second
)

// Options of a gateway.
type Options struct {
	Address string
	// Origins may call it from browsers; "*" is all.
	Origins []string
	// MaxBody is the largest request in bytes.
	MaxBody int64
	Log     *slog.Logger
	Metrics *Metrics
	// Panics is told of each handler that panicked.
	Panics func()
}

// Gateway is an HTTP server on one address.
type Gateway struct {
	lis    net.Listener
	server *http.Server
	log    *slog.Logger
}

// Listen opens the address; Run serves.
func Listen(ctx context.Context, o Options, services []serve.Service) (*Gateway, error) {
	handler, err := Handler(ctx, o, services)
	if err != nil {
		return nil, err
	}
	lis, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Address)
	if err != nil {
		return nil, fmt.Errorf("json listener: %w", err)
	}
	return &Gateway{
		lis: netutil.LimitListener(lis, maxConnections), log: o.Log,
		server: &http.Server{
			Handler: handler, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
			MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
		},
	}, nil
}

// removedPath is of a method that older clients still call, and which the API's
// current definitions no longer have (spec 09 §10.3).
const removedPath = "/v1/globalstate/smesherdataquery"

// Handler is everything that the gateway answers.
func Handler(ctx context.Context, o Options, services []serve.Service) (http.Handler, error) {
	mux := runtime.NewServeMux()
	for _, s := range services {
		if s.JSON == nil {
			continue
		}
		if err := s.JSON(ctx, mux); err != nil {
			return nil, fmt.Errorf("json of %s: %w", s.Name, err)
		}
	}
	err := mux.HandlePath(http.MethodPost, removedPath, func(w http.ResponseWriter, r *http.Request, _ map[string]string) {
		_, out := runtime.MarshalerForRequest(mux, r)
		runtime.HTTPError(r.Context(), mux, out, w, r, status.Error(codes.Unimplemented, "DEPRECATED"))
	})
	if err != nil {
		return nil, fmt.Errorf("json of %s: %w", removedPath, err)
	}
	handler := recovering(bound(mux, o.MaxBody), mux, o)
	handler = o.Metrics.around(handler)
	return cors(handler, o.Origins), nil
}

// bound cuts bodies that are too large.
func bound(next http.Handler, limit int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		next.ServeHTTP(w, r)
	})
}

// recovering answers a handler's panic like any error of ours.
func recovering(next http.Handler, mux *runtime.ServeMux, o Options) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			o.Panics()
			_, out := runtime.MarshalerForRequest(mux, r)
			runtime.HTTPError(r.Context(), mux, out, w, r, serve.Panicked(r.Context(), o.Log, r.URL.Path, p))
		}()
		next.ServeHTTP(w, r)
	})
}

// Addr is where it listens.
func (g *Gateway) Addr() net.Addr { return g.lis.Addr() }

// Run serves until ctx ends and returns when all requests have ended.
func (g *Gateway) Run(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- g.server.Serve(g.lis) }()
	g.log.Info("listening", "listener", "json", "address", g.lis.Addr().String())
	select {
	case err := <-done:
		return fmt.Errorf("json listener: %w", err)
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	if err := g.server.Shutdown(patience); err != nil {
		_ = g.server.Close()
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("json listener: %w", err)
	}
	return nil
}

// Close gives up a gateway that never ran.
func (g *Gateway) Close() { _ = g.lis.Close() }
