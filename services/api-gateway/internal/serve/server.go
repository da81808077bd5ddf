package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"time"

	"golang.org/x/net/netutil"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
)

// Names of listeners.
const (
	Public  = "public"
	Private = "private"
	Post    = "post"
	TLS     = "tls"
)

// Limits of a server that operators may change.
type Limits struct {
	// Receive and Send are the largest messages in bytes.
	Receive, Send int
	// Connections is the most at a time on one listener.
	Connections int
	// Streams is the most calls at a time on one connection.
	Streams uint32
	// Calls is the most at a time on one listener, streams included.
	Calls int
}

// Server is a gRPC server on one address.
type Server struct {
	name   string
	lis    net.Listener
	grpc   *grpc.Server
	health *health.Server
	log    *slog.Logger
}

// Options of a server; TLS may be nil.
type Options struct {
	Name    string
	Address string
	Limits  Limits
	TLS     *tls.Config
	Log     *slog.Logger
	Metrics *Metrics

	room *room
}

// Listen opens the address; Run serves.
func Listen(ctx context.Context, o Options, services []Service) (*Server, error) {
	lis, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Address)
	if err != nil {
		return nil, fmt.Errorf("%s grpc listener: %w", o.Name, err)
	}
	o.room = &room{most: int64(o.Limits.Calls)}
	warnIfExposed(o.Log, o.Name, lis.Addr())
	s := &Server{name: o.Name, lis: netutil.LimitListener(lis, o.Limits.Connections), log: o.Log, health: health.NewServer()}
	options := append(parameters(o), observe(o)...)
	s.grpc = grpc.NewServer(options...)
	for _, service := range services {
		service.GRPC(s.grpc)
	}
	for name := range s.grpc.GetServiceInfo() {
		s.health.SetServingStatus(name, healthpb.HealthCheckResponse_SERVING)
	}
	healthpb.RegisterHealthServer(s.grpc, s.health)
	reflection.Register(s.grpc)
	return s, nil
}

// parameters are spec 09 §2.2.
func parameters(o Options) []grpc.ServerOption {
	alive := keepalive.ServerParameters{Time: 10 * time.Minute, Timeout: 10 * time.Second}
	if o.Name == Public {
		alive = keepalive.ServerParameters{
			MaxConnectionIdle: 2 * time.Hour, MaxConnectionAge: 3 * time.Hour, MaxConnectionAgeGrace: 10 * time.Minute,
			Time: time.Minute, Timeout: 10 * time.Second,
		}
	}
	out := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(o.Limits.Receive),
		grpc.MaxSendMsgSize(o.Limits.Send),
		grpc.MaxConcurrentStreams(o.Limits.Streams),
		grpc.MaxHeaderListSize(64 << 10),
		grpc.ConnectionTimeout(20 * time.Second),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Minute}),
		grpc.KeepaliveParams(alive),
	}
	if o.TLS != nil {
		out = append(out, grpc.Creds(credentials.NewTLS(o.TLS)))
	}
	return out
}

// Addr is where it listens.
func (s *Server) Addr() net.Addr { return s.lis.Addr() }

// stopLimit is how long calls may go on once the server stops.
const stopLimit = time.Second

// Run serves until ctx ends and returns when all calls have ended.
func (s *Server) Run(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- s.grpc.Serve(s.lis) }()
	s.log.Info("listening", "listener", s.name, "address", s.lis.Addr().String())
	select {
	case err := <-done:
		return fmt.Errorf("%s grpc listener: %w", s.name, err)
	case <-ctx.Done():
	}
	s.health.Shutdown()
	hard := time.AfterFunc(stopLimit, s.grpc.Stop)
	defer hard.Stop()
	s.grpc.GracefulStop()
	if err := <-done; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("%s grpc listener: %w", s.name, err)
	}
	return nil
}

// Close gives up a server that never ran.
func (s *Server) Close() {
	s.grpc.Stop()
	_ = s.lis.Close()
}

// warnIfExposed tells the operator that the world may reach an address, which
// has neither authentication nor encryption.
func warnIfExposed(log *slog.Logger, name string, addr net.Addr) {
	tcp, ok := addr.(*net.TCPAddr)
	if ok && !tcp.IP.IsLoopback() && !tcp.IP.IsPrivate() {
		log.Warn("the listener may be reached from outside", "listener", name, "address", addr.String())
	}
}

// DefaultLimits are those of spec 09 §2.2, and bounds on what it leaves open.
func DefaultLimits() Limits {
	return Limits{Receive: 10 << 20, Send: 10 << 20, Connections: 4096, Streams: 1024, Calls: 16_384}
}

// Validate checks the numbers.
func (l Limits) Validate() error {
	if l.Receive <= 0 || l.Send <= 0 || l.Receive > math.MaxInt32 || l.Send > math.MaxInt32 {
		return errors.New("message sizes must be positive and below 2 GiB")
	}
	if l.Connections <= 0 || l.Streams == 0 || l.Calls <= 0 {
		return errors.New("numbers of connections, streams and calls must be positive")
	}
	return nil
}
