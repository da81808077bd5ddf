package v2

import (
	"context"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v2alpha1"

	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/api-gateway/internal/node"
)

// rewardService is spec 09 §3.7.
type rewardService struct{ n *node.Node }

// List is a page of rewards. A bad coinbase is told before a bad limit.
func (s *rewardService) List(ctx context.Context, r *pb.RewardRequest) (*pb.RewardList, error) {
	f := state.RewardFilter{Layers: state.Range{From: wire.LayerID(r.StartLayer), To: last(r.EndLayer)}}
	switch by := r.FilterBy.(type) {
	case *pb.RewardRequest_Coinbase:
		a, err := s.n.Address(by.Coinbase)
		if err != nil {
			return nil, invalid(err)
		}
		f.Coinbase = a[:]
	case *pb.RewardRequest_Smesher:
		f.Node = present(by.Smesher)
	}
	if err := checkLimit(r.Limit); err != nil {
		return nil, err
	}
	ctx, cancel := s.n.Bound(ctx)
	defer cancel()
	found, err := state.ListRewards(ctx, s.n.DB, f, state.Page{
		Limit: int64(r.Limit), Offset: offset(r.Offset), Descending: r.SortOrder == pb.SortOrder_DESC,
	})
	if err != nil {
		return nil, node.Failed(err)
	}
	out := &pb.RewardList{Rewards: make([]*pb.Reward, len(found))}
	for i := range found {
		out.Rewards[i] = rewardOf(s.n, &found[i])
	}
	return out, nil
}

// present keeps an empty id apart from no filter: it matches nothing.
func present(id []byte) []byte {
	if id == nil {
		return []byte{}
	}
	return id
}

func rewardOf(n *node.Node, r *wire.Reward) *pb.Reward {
	return &pb.Reward{
		Layer: uint32(r.Layer), Total: r.TotalReward, LayerReward: r.LayerReward,
		Coinbase: n.Text(r.Coinbase), Smesher: r.SmesherID[:],
	}
}
