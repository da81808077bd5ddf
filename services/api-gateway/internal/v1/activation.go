package v1

import (
	"context"
	"fmt"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/api-gateway/internal/node"
)

// activationService is spec 09 §6.2.
type activationService struct {
	pb.UnimplementedActivationServiceServer
	*api
}

// Get is an ATX, and what is known against its identity.
func (s *activationService) Get(ctx context.Context, in *pb.GetRequest) (*pb.GetResponse, error) {
	ctx, cancel := s.Node.Bound(ctx)
	defer cancel()
	if len(in.GetId()) != len(wire.ATXID{}) {
		return nil, invalid(fmt.Sprintf("invalid ATX ID length (%d), expected (32)", len(in.GetId())))
	}
	found, err := activation.DetailsByID(ctx, s.Node.DB, []wire.ATXID{wire.ATXID(in.GetId())})
	if err != nil {
		return nil, node.Failed(err)
	}
	if len(found) == 0 {
		return nil, status.Error(codes.NotFound, "id was not found")
	}
	out := &pb.GetResponse{Atx: s.activation(&found[0])}
	proofs, err := activation.ProofsOf(ctx, s.Node.DB, []wire.NodeID{found[0].Node})
	if err != nil {
		return nil, node.Failed(err)
	}
	if len(proofs) > 0 {
		out.MalfeasanceProof = evidence(proofs[0].Node, proofs[0].Proof, false)
	}
	return out, nil
}

// Highest is the ATX with the most ticks below it; the golden one if there is none.
func (s *activationService) Highest(ctx context.Context, _ *emptypb.Empty) (*pb.HighestResponse, error) {
	ctx, cancel := s.Node.Bound(ctx)
	defer cancel()
	highest, ok, err := activation.HighestATX(ctx, s.Node.DB)
	if err != nil {
		return nil, node.Failed(err)
	}
	if ok {
		found, err := activation.DetailsByID(ctx, s.Node.DB, []wire.ATXID{highest.ID})
		if err != nil {
			return nil, node.Failed(err)
		}
		if len(found) > 0 {
			return &pb.HighestResponse{Atx: s.activation(&found[0])}, nil
		}
	}
	return &pb.HighestResponse{Atx: &pb.Activation{Id: &pb.ActivationId{Id: s.golden[:]}}}, nil
}
