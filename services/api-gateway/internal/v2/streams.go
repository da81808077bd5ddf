package v2

import (
	"bytes"
	"context"
	"math"
	"slices"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v2alpha1"
	"google.golang.org/grpc"

	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/store/read/consensus"
	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/api-gateway/internal/live"
	"github.com/smeshery/smeshery/services/api-gateway/internal/node"
)

// among tells whether an id is one of a repeated field, of which empty means any.
func among(ids [][]byte, id []byte) bool {
	return len(ids) == 0 || slices.ContainsFunc(ids, func(want []byte) bool { return bytes.Equal(want, id) })
}

type activationStream struct {
	n   *node.Node
	hub *live.Hub
}

// Stream tells of activations.
func (s *activationStream) Stream(r *pb.ActivationStreamRequest, stream grpc.ServerStreamingServer[pb.Activation]) error {
	var f activation.ATXFilter
	list := func(a activation.ATXDetails) *activation.Listed {
		return &activation.Listed{
			ID: a.ID, Node: a.Node, PublishEpoch: a.PublishEpoch, Coinbase: a.Coinbase, Weight: a.Weight, Height: a.Height(), Units: a.Units,
		}
	}
	flow := flow[pb.Activation]{hub: s.hub, kind: live.KindActivations}
	flow.check = func() (err error) {
		f, err = atxFilter(s.n, r.StartEpoch, r.EndEpoch, r.Id, r.SmesherId, r.Coinbase)
		return err
	}
	flow.match = func(e live.Event) bool {
		a, ok := e.(live.Activation)
		epoch := uint32(a.ATX.PublishEpoch)
		return ok && epoch >= r.StartEpoch && (r.EndEpoch == 0 || epoch <= r.EndEpoch) &&
			among(r.Id, a.ATX.ID[:]) && among(r.SmesherId, a.ATX.Node[:]) && (r.Coinbase == "" || r.Coinbase == s.n.Text(a.ATX.Coinbase))
	}
	flow.page = func(ctx context.Context) ([]*pb.Activation, error) {
		found, err := activation.ListATXs(ctx, s.n.DB, f, historyPage, 0)
		if err != nil || len(found) == 0 {
			return nil, err
		}
		f.After = &found[len(found)-1]
		out := make([]*pb.Activation, len(found))
		for i := range found {
			out[i] = activationOf(s.n, &found[i])
		}
		return out, nil
	}
	flow.now = func(_ context.Context, e live.Event) ([]*pb.Activation, error) {
		return []*pb.Activation{activationOf(s.n, list(e.(live.Activation).ATX))}, nil
	}
	return flow.run(stream, r.Watch)
}

type rewardStream struct {
	n   *node.Node
	hub *live.Hub
}

// Stream tells of rewards.
func (s *rewardStream) Stream(r *pb.RewardStreamRequest, stream grpc.ServerStreamingServer[pb.Reward]) error {
	f := state.RewardFilter{Layers: state.Range{From: wire.LayerID(r.StartLayer), To: last(r.EndLayer)}}
	coinbase, byCoinbase := r.FilterBy.(*pb.RewardStreamRequest_Coinbase)
	smesher, bySmesher := r.FilterBy.(*pb.RewardStreamRequest_Smesher)
	match := func(w *wire.Reward) bool {
		return w.Layer >= f.Layers.From && w.Layer <= f.Layers.To &&
			(!byCoinbase || coinbase.Coinbase == s.n.Text(w.Coinbase)) && (!bySmesher || bytes.Equal(smesher.Smesher, w.SmesherID[:]))
	}
	flow := flow[pb.Reward]{hub: s.hub, kind: live.KindRewards}
	flow.check = func() error {
		if byCoinbase {
			a, err := s.n.Address(coinbase.Coinbase)
			if err != nil {
				return invalid(err)
			}
			f.Coinbase = a[:]
		}
		if bySmesher {
			f.Node = present(smesher.Smesher)
		}
		return nil
	}
	flow.match = func(e live.Event) bool {
		rewards, ok := e.(live.Rewards)
		return ok && slices.ContainsFunc(rewards.Rewards, func(w wire.Reward) bool { return match(&w) })
	}
	flow.page = func(ctx context.Context) ([]*pb.Reward, error) {
		found, err := state.ListRewards(ctx, s.n.DB, f, state.Page{Limit: historyPage})
		if err != nil || len(found) == 0 {
			return nil, err
		}
		f.After = &found[len(found)-1]
		out := make([]*pb.Reward, len(found))
		for i := range found {
			out[i] = rewardOf(s.n, &found[i])
		}
		return out, nil
	}
	flow.now = func(_ context.Context, e live.Event) (out []*pb.Reward, err error) {
		for _, w := range e.(live.Rewards).Rewards {
			if match(&w) {
				out = append(out, rewardOf(s.n, &w))
			}
		}
		return out, nil
	}
	return flow.run(stream, r.Watch)
}

type malfeasanceStream struct {
	n   *node.Node
	hub *live.Hub
}

// Stream tells of identities with a proof against them.
func (s *malfeasanceStream) Stream(r *pb.MalfeasanceStreamRequest, stream grpc.ServerStreamingServer[pb.MalfeasanceProof]) error {
	var after *wire.NodeID
	flow := flow[pb.MalfeasanceProof]{hub: s.hub, kind: live.KindMalfeasance}
	flow.check = func() error { return nil }
	flow.match = func(e live.Event) bool {
		m, ok := e.(live.Malfeasance)
		return ok && among(r.SmesherId, m.Node[:])
	}
	flow.page = func(ctx context.Context) (out []*pb.MalfeasanceProof, err error) {
		for len(out) == 0 { // a page may hold only what is not known here
			found, err := activation.ListProofs(ctx, s.n.DB, orNil(r.SmesherId), after, historyPage, 0)
			if err != nil || len(found) == 0 {
				return nil, err
			}
			after = &found[len(found)-1].Node
			for _, e := range found {
				if p := proofOf(e.Node, e.Proof); p != nil {
					out = append(out, p)
				}
			}
		}
		return out, nil
	}
	flow.now = func(_ context.Context, e live.Event) ([]*pb.MalfeasanceProof, error) {
		m := e.(live.Malfeasance)
		if p := proofOf(m.Node, m.Proof); p != nil {
			return []*pb.MalfeasanceProof{p}, nil
		}
		return nil, nil
	}
	return flow.run(stream, r.Watch)
}

type layerStream struct {
	n   *node.Node
	hub *live.Hub
}

// Stream tells of layers, each again whenever its status changes.
func (s *layerStream) Stream(r *pb.LayerStreamRequest, stream grpc.ServerStreamingServer[pb.Layer]) error {
	from, to := wire.LayerID(r.StartLayer), last(r.EndLayer)
	next, end := uint64(from), false
	flow := flow[pb.Layer]{hub: s.hub, kind: live.KindLayers}
	flow.check = func() error { return nil }
	flow.match = func(e live.Event) bool {
		l, ok := e.(live.Layer)
		return ok && l.Layer >= from && l.Layer <= to
	}
	flow.page = func(ctx context.Context) ([]*pb.Layer, error) {
		if end {
			return nil, nil
		}
		found, err := wholeLayers(ctx, s.n, wire.LayerID(next), to)
		if err != nil || len(found) == 0 {
			return nil, err
		}
		next = uint64(found[len(found)-1].ID) + 1
		end = next > uint64(to) || next > math.MaxUint32
		out := make([]*pb.Layer, len(found))
		for i := range found {
			out[i] = layerOf(&found[i])
		}
		return out, nil
	}
	flow.now = func(ctx context.Context, e live.Event) ([]*pb.Layer, error) {
		l := e.(live.Layer)
		return s.update(ctx, l)
	}
	return flow.run(stream, r.Watch)
}

// wholeLayers reads a page that does not end within a layer's repeats.
func wholeLayers(ctx context.Context, n *node.Node, from, to wire.LayerID) ([]consensus.Layer, error) {
	for limit := int64(historyPage); ; limit *= 2 {
		found, err := consensus.Layers(ctx, n.DB, from, to, consensus.Page{Limit: limit})
		if err != nil || int64(len(found)) < limit {
			return found, err
		}
		cut := len(found)
		for cut > 0 && found[cut-1].ID == found[len(found)-1].ID {
			cut--
		}
		if cut > 0 {
			return found[:cut], nil
		}
	}
}

// update is a layer with the status that it came to; what is not known of it yet
// is left out.
func (s *layerStream) update(ctx context.Context, l live.Layer) ([]*pb.Layer, error) {
	found, err := consensus.Layers(ctx, s.n.DB, l.Layer, l.Layer, consensus.Page{Limit: 1})
	if err != nil {
		return nil, err
	}
	out := &pb.Layer{Number: uint32(l.Layer)}
	if len(found) > 0 {
		out = layerOf(&found[0])
	}
	switch l.Status {
	case events.LayerApproved:
		out.Status = pb.Layer_LAYER_STATUS_APPLIED
	case events.LayerApplied:
		out.Status = pb.Layer_LAYER_STATUS_VERIFIED
	default:
		out.Status = pb.Layer_LAYER_STATUS_UNSPECIFIED
	}
	return []*pb.Layer{out}, nil
}
