package v1

import (
	"context"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/smeshery/smeshery/services/api-gateway/internal/live"
	"github.com/smeshery/smeshery/services/api-gateway/internal/node"
)

// nodeService is spec 09 §5.1.
type nodeService struct {
	pb.UnimplementedNodeServiceServer
	*api
}

// Echo answers what it is told.
func (s *nodeService) Echo(_ context.Context, in *pb.EchoRequest) (*pb.EchoResponse, error) {
	if in.GetMsg() == nil {
		return nil, invalid("Must include `Msg`")
	}
	return &pb.EchoResponse{Msg: &pb.SimpleString{Value: in.GetMsg().GetValue()}}, nil
}

// Version is the release.
func (s *nodeService) Version(context.Context, *emptypb.Empty) (*pb.VersionResponse, error) {
	return &pb.VersionResponse{VersionString: &pb.SimpleString{Value: s.Config.Version}}, nil
}

// Build is the commit.
func (s *nodeService) Build(context.Context, *emptypb.Empty) (*pb.BuildResponse, error) {
	return &pb.BuildResponse{BuildString: &pb.SimpleString{Value: s.Config.Build}}, nil
}

// Status is how far the node is.
func (s *nodeService) Status(ctx context.Context, _ *pb.StatusRequest) (*pb.StatusResponse, error) {
	ctx, cancel := s.Node.Bound(ctx)
	defer cancel()
	now, err := s.status(ctx)
	if err != nil {
		return nil, err
	}
	return &pb.StatusResponse{Status: now}, nil
}

func (a *api) status(ctx context.Context) (*pb.NodeStatus, error) {
	now, err := a.Node.Status(ctx)
	if err != nil {
		return nil, node.Failed(err)
	}
	verified := now.Applied
	if now.Current <= a.Node.EffectiveGenesis() {
		verified = now.Latest
	}
	return &pb.NodeStatus{
		ConnectedPeers: now.Peers, IsSynced: now.Synced,
		SyncedLayer: number(now.Latest), TopLayer: number(now.Current), VerifiedLayer: number(verified),
	}, nil
}

// NodeInfo is the network's numbers.
func (s *nodeService) NodeInfo(context.Context, *emptypb.Empty) (*pb.NodeInfoResponse, error) {
	p := &s.Node.Network
	return &pb.NodeInfoResponse{
		Hrp: p.HRP, FirstGenesis: uint32(p.FirstEffectiveGenesis()),
		EffectiveGenesis: uint32(s.Node.EffectiveGenesis()), EpochSize: p.LayersPerEpoch,
	}, nil
}

// StatusStream tells the status whenever it may have changed.
func (s *nodeService) StatusStream(_ *pb.StatusStreamRequest, stream grpc.ServerStreamingServer[pb.StatusStreamResponse]) error {
	sub := s.Live.Subscribe(live.BufferV1, nil, live.KindStatus)
	defer sub.Close()
	for {
		if _, err := sub.Next(stream.Context()); err != nil {
			return ended(err, "status buffer is full")
		}
		now, err := s.status(stream.Context())
		if err != nil {
			return err
		}
		if err := stream.Send(&pb.StatusStreamResponse{Status: now}); err != nil {
			return err
		}
	}
}

// ErrorStream tells what is logged as an error.
func (s *nodeService) ErrorStream(_ *pb.ErrorStreamRequest, stream grpc.ServerStreamingServer[pb.ErrorStreamResponse]) error {
	sub := s.Live.Subscribe(live.BufferV1, nil, live.KindErrors)
	defer sub.Close()
	if err := stream.SendHeader(metadata.MD{}); err != nil {
		return err
	}
	for {
		e, err := sub.Next(stream.Context())
		if err != nil {
			return ended(err, "errors buffer is full")
		}
		told, ok := e.(live.Error)
		if !ok {
			continue
		}
		if err := stream.Send(&pb.ErrorStreamResponse{Error: &pb.NodeError{
			Level: told.Level, Msg: told.Text, StackTrace: told.Stack,
		}}); err != nil {
			return err
		}
	}
}
