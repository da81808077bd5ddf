package v2

import (
	"context"
	"math"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v2alpha1"

	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/api-gateway/internal/node"
)

// activationService is spec 09 §3.2.
type activationService struct{ n *node.Node }

// List is a page of activations by publish epoch.
func (s *activationService) List(ctx context.Context, r *pb.ActivationRequest) (*pb.ActivationList, error) {
	if err := checkLimit(r.Limit); err != nil {
		return nil, err
	}
	f, err := atxFilter(s.n, r.StartEpoch, r.EndEpoch, r.Id, r.SmesherId, r.Coinbase)
	if err != nil {
		return nil, err
	}
	ctx, cancel := s.n.Bound(ctx)
	defer cancel()
	found, err := activation.ListATXs(ctx, s.n.DB, f, int64(r.Limit), offset(r.Offset))
	if err != nil {
		return nil, node.Failed(err)
	}
	out := &pb.ActivationList{Activations: make([]*pb.Activation, len(found))}
	for i := range found {
		out.Activations[i] = activationOf(s.n, &found[i])
	}
	return out, nil
}

func atxFilter(n *node.Node, start, end uint32, ids, nodes [][]byte, coinbase string) (f activation.ATXFilter, err error) {
	f = activation.ATXFilter{From: wire.EpochID(start), To: wire.EpochID(end), IDs: orNil(ids), Nodes: orNil(nodes)}
	if coinbase != "" {
		a, err := n.Address(coinbase)
		if err != nil {
			return f, invalid(err)
		}
		f.Coinbase = &a
	}
	return f, nil
}

func activationOf(n *node.Node, a *activation.Listed) *pb.Activation {
	return &pb.Activation{
		Id: a.ID[:], SmesherId: a.Node[:], PublishEpoch: uint32(a.PublishEpoch), Coinbase: n.Text(a.Coinbase),
		Weight: a.Weight, Height: a.Height, NumUnits: a.Units,
	}
}

// ActivationsCount counts activations, of one publish epoch or all.
func (s *activationService) ActivationsCount(ctx context.Context, r *pb.ActivationsCountRequest) (*pb.ActivationsCountResponse, error) {
	ctx, cancel := s.n.Bound(ctx)
	defer cancel()
	var epoch *wire.EpochID
	if r.Epoch != nil {
		e := wire.EpochID(*r.Epoch)
		epoch = &e
	}
	count, err := activation.CountATXs(ctx, s.n.DB, epoch)
	if err != nil {
		return nil, node.Failed(err)
	}
	return &pb.ActivationsCountResponse{Count: uint32(min(count, math.MaxUint32))}, nil
}

// Highest is the activation with the most ticks below it; without any, the
// network's golden one, of which only the id is told.
func (s *activationService) Highest(ctx context.Context, _ *pb.HighestRequest) (*pb.HighestResponse, error) {
	ctx, cancel := s.n.Bound(ctx)
	defer cancel()
	a, ok, err := activation.HighestATX(ctx, s.n.DB)
	if err != nil {
		return nil, node.Failed(err)
	}
	if !ok {
		golden := s.n.Network.Genesis.GoldenATX()
		return &pb.HighestResponse{Activation: &pb.Activation{Id: golden[:]}}, nil
	}
	return &pb.HighestResponse{Activation: activationOf(s.n, &a)}, nil
}
