package v2

import (
	"context"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v2alpha1"

	"github.com/smeshery/smeshery/pkg/store/read/consensus"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/api-gateway/internal/node"
)

// layerService is spec 09 §3.3.
type layerService struct{ n *node.Node }

// List is a page of layers; a layer comes once for each block stored for it.
func (s *layerService) List(ctx context.Context, r *pb.LayerRequest) (*pb.LayerList, error) {
	if err := checkLimit(r.Limit); err != nil {
		return nil, err
	}
	ctx, cancel := s.n.Bound(ctx)
	defer cancel()
	found, err := consensus.Layers(ctx, s.n.DB, wire.LayerID(r.StartLayer), last(r.EndLayer), consensus.Page{
		Limit: int64(r.Limit), Offset: offset(r.Offset), Descending: r.SortOrder == pb.SortOrder_DESC,
	})
	if err != nil {
		return nil, node.Failed(err)
	}
	out := &pb.LayerList{Layers: make([]*pb.Layer, len(found))}
	for i := range found {
		out.Layers[i] = layerOf(&found[i])
	}
	return out, nil
}

func layerOf(l *consensus.Layer) *pb.Layer {
	out := &pb.Layer{Number: uint32(l.ID)}
	switch {
	case l.Processed:
		out.Status = pb.Layer_LAYER_STATUS_VERIFIED
	case l.Applied != wire.BlockID{}:
		out.Status = pb.Layer_LAYER_STATUS_APPLIED
	}
	if (l.Aggregated != wire.Hash32{}) {
		out.ConsensusHash = short(l.Aggregated)
		out.CumulativeStateHash = l.Aggregated[:]
	}
	if (l.StateRoot != wire.Hash32{}) {
		out.StateHash = l.StateRoot[:]
	}
	if l.HasBlock {
		out.Block = &pb.Block{Id: l.Applied[:]}
	}
	return out
}
