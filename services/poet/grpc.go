package poet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	"github.com/smeshery/smeshery/services/poet/internal/registry"
	"github.com/smeshery/smeshery/services/poet/internal/rpc"
)

// serveRPC starts the front end over gRPC, if it is configured (spec 03 §12.3).
func (s *Service) serveRPC(ctx context.Context, group *errgroup.Group, r *registry.Registry) error {
	if s.cfg.ListenRPC == "" {
		return nil
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", s.cfg.ListenRPC)
	if err != nil {
		return fmt.Errorf("cannot listen for registrations over gRPC: %w", err)
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxBody), grpc.KeepaliveParams(keepalive.ServerParameters{
		MaxConnectionIdle: 2 * time.Hour, MaxConnectionAge: 3 * time.Hour, MaxConnectionAgeGrace: 10 * time.Minute,
		Time: time.Minute, Timeout: 3 * time.Minute,
	}))
	rpc.RegisterPoetServiceServer(server, &rpc.Server{Handle: r.Handle})
	reflection.Register(server)
	s.rpcAddr.Store(l.Addr().(*net.TCPAddr))
	group.Go(func() error {
		if err := server.Serve(l); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			return fmt.Errorf("serve registrations over gRPC: %w", err)
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
