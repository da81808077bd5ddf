package v2

import (
	"context"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v2alpha1"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/smeshery/smeshery/services/api-gateway/internal/node"
)

// networkService is spec 09 §3.5.
type networkService struct{ n *node.Node }

// Info tells the network's numbers.
func (s *networkService) Info(context.Context, *pb.NetworkInfoRequest) (*pb.NetworkInfoResponse, error) {
	net, id := &s.n.Network, s.n.GenesisID()
	return &pb.NetworkInfoResponse{
		GenesisTime: timestamppb.New(net.Genesis.Time), LayerDuration: durationpb.New(net.LayerDuration), GenesisId: id[:], Hrp: net.HRP,
		EffectiveGenesisLayer: uint32(s.n.EffectiveGenesis()), LayersPerEpoch: net.LayersPerEpoch, LabelsPerUnit: net.Post.LabelsPerUnit,
	}, nil
}

// nodeService is spec 09 §3.6.
type nodeService struct{ n *node.Node }

// Status tells how far the node is.
func (s *nodeService) Status(ctx context.Context, _ *pb.NodeStatusRequest) (*pb.NodeStatusResponse, error) {
	ctx, cancel := s.n.Bound(ctx)
	defer cancel()
	st, err := s.n.Status(ctx)
	if err != nil {
		return nil, node.Failed(err)
	}
	out := &pb.NodeStatusResponse{
		ConnectedPeers: st.Peers, Status: pb.NodeStatusResponse_SYNC_STATUS_SYNCING, LatestLayer: uint32(st.Latest),
		AppliedLayer: uint32(st.Applied), ProcessedLayer: uint32(st.Processed), CurrentLayer: uint32(st.Current),
	}
	if st.Synced {
		out.Status = pb.NodeStatusResponse_SYNC_STATUS_SYNCED
	}
	return out, nil
}
