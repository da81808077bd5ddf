package postservice

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"time"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/post/service"
)

func (s *Server) listen() error {
	if s.cfg.Plain != "" {
		if err := s.bind("post", s.cfg.Plain, nil); err != nil {
			return err
		}
	}
	if s.cfg.TLS == "" {
		return nil
	}
	secure, err := s.mutual()
	if err != nil {
		return fmt.Errorf("tls post listener: %w", err)
	}
	return s.bind("tls", s.cfg.TLS, credentials.NewTLS(secure))
}

// mutual wants a client certificate that our CA signed.
func (s *Server) mutual() (*tls.Config, error) {
	own, err := tls.LoadX509KeyPair(s.cfg.CertFile, s.cfg.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	pem, err := os.ReadFile(s.cfg.CAFile)
	if err != nil {
		return nil, fmt.Errorf("certificate of the CA: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("certificate of the CA: %s has none", s.cfg.CAFile)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool,
		MinVersion: tls.VersionTLS12,
	}, nil
}

func (s *Server) bind(name, addr string, secure credentials.TransportCredentials) error {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return fmt.Errorf("%s post listener: %w", name, err)
	}
	if secure == nil && public(l.Addr()) {
		s.deps.Log.Warn("post-services may register from anywhere, without TLS", "listener", l.Addr().String())
	}
	// Spec 09 §2.2.
	options := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(service.MaxMessage), grpc.MaxSendMsgSize(service.MaxMessage),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 10 * time.Minute, Timeout: 10 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Minute}),
		grpc.StreamInterceptor(s.survive), grpc.UnaryInterceptor(s.surviveCall),
	}
	if secure != nil {
		options = append(options, grpc.Creds(secure))
	}
	server := grpc.NewServer(options...)
	pb.RegisterPostServiceServer(server, s)
	pb.RegisterPostInfoServiceServer(server, s)
	reflection.Register(server)
	s.listeners = append(s.listeners, listener{l, server, name})
	return nil
}

// public tells whether an address is neither of this machine nor of a private net.
func public(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && !tcp.IP.IsLoopback() && !tcp.IP.IsPrivate()
}

// survive answers a panic as an error of ours.
func (s *Server) survive(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, h grpc.StreamHandler) (err error) {
	defer s.recovered(&err)
	return h(srv, stream)
}

func (s *Server) surviveCall(ctx context.Context, req any, _ *grpc.UnaryServerInfo, h grpc.UnaryHandler) (_ any, err error) {
	defer s.recovered(&err)
	return h(ctx, req)
}

func (s *Server) recovered(err *error) {
	if p := recover(); p != nil {
		s.deps.Log.Error("handler panicked", "panic", p, "stack", string(debug.Stack()))
		*err = status.Error(codes.Internal, "internal error")
	}
}

// Run serves until ctx ends: streams then have a second to end by themselves. It
// returns when all that it started has ended.
func (s *Server) Run(ctx context.Context) error {
	errs := make(chan error, len(s.listeners)+1)
	var group sync.WaitGroup
	work, stop := context.WithCancel(ctx)
	defer stop()
	for _, l := range s.listeners {
		group.Go(func() {
			s.deps.Log.Info("post-services may connect", "listener", l.name, "address", l.Addr().String())
			if err := l.server.Serve(l.Listener); err != nil {
				errs <- fmt.Errorf("%s post listener: %w", l.name, err)
			}
		})
	}
	if err := s.deps.Queue.HearWork(work, bus.PostProve, s.look); err != nil {
		errs <- err
	}
	group.Go(func() { s.work(work, time.Second) })
	var err error
	select {
	case <-ctx.Done():
	case err = <-errs:
	}
	stop()
	s.close()
	group.Wait()
	return err
}

// close ends all streams: Register returns when its client is closed.
func (s *Server) close() {
	s.mu.Lock()
	for _, c := range s.clients {
		c.close(errors.New("the node stops"))
	}
	s.mu.Unlock()
	for _, l := range s.listeners {
		ended := make(chan struct{})
		go func() { defer close(ended); l.server.GracefulStop() }()
		timer := time.NewTimer(time.Second)
		select {
		case <-ended:
		case <-timer.C:
			l.server.Stop()
			<-ended
		}
		timer.Stop()
		_ = l.Close()
	}
}
