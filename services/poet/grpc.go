package poet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	"github.com/smeshery/smeshery/services/poet/internal/registry"
	"github.com/smeshery/smeshery/services/poet/internal/rpc"
)

// serveRPC starts the front end over gRPC and the operator's listener, as far as
// they are configured (spec 03 §12.3).
func (s *Service) serveRPC(ctx context.Context, group *errgroup.Group, r *registry.Registry) error {
	if s.cfg.ListenRPC != "" {
		server := newServer()
		rpc.RegisterPoetServiceServer(server, &rpc.Server{Handle: r.Handle})
		if err := listen(ctx, group, server, s.cfg.ListenRPC, &s.rpcAddr); err != nil {
			return fmt.Errorf("registrations over gRPC: %w", err)
		}
	}
	if s.cfg.ListenConfig != "" {
		server := newServer()
		rpc.RegisterConfigurationServiceServer(server, &rpc.Configuration{Reload: s.reloadTrusted})
		if err := listen(ctx, group, server, s.cfg.ListenConfig, &s.confAddr); err != nil {
			return fmt.Errorf("configuration over gRPC: %w", err)
		}
	}
	return nil
}

func newServer() *grpc.Server {
	return grpc.NewServer(grpc.MaxRecvMsgSize(maxBody), grpc.KeepaliveParams(keepalive.ServerParameters{
		MaxConnectionIdle: 2 * time.Hour, MaxConnectionAge: 3 * time.Hour, MaxConnectionAgeGrace: 10 * time.Minute,
		Time: time.Minute, Timeout: 3 * time.Minute,
	}))
}

// listen serves until ctx ends, and stores where.
func listen(ctx context.Context, group *errgroup.Group, server *grpc.Server, address string, at *atomic.Pointer[net.TCPAddr]) error {
	reflection.Register(server)
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	at.Store(l.Addr().(*net.TCPAddr))
	group.Go(func() error {
		if err := server.Serve(l); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			return fmt.Errorf("serve gRPC: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		timer := time.AfterFunc(time.Second, server.Stop)
		defer timer.Stop()
		server.GracefulStop()
		return nil
	})
	return nil
}
