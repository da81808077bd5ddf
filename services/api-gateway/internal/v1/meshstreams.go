package v1

import (
	"context"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/api-gateway/internal/live"
	"github.com/smeshery/smeshery/services/api-gateway/internal/node"
)

// LayerStream tells a layer, all of it, at every change of its status.
func (s *meshService) LayerStream(_ *pb.LayerStreamRequest, stream grpc.ServerStreamingServer[pb.LayerStreamResponse]) error {
	sub := s.Live.Subscribe(live.BufferV1, nil, live.KindLayers)
	defer sub.Close()
	for {
		e, err := sub.Next(stream.Context())
		if err != nil {
			return ended(err, "account buffer is full") // as the network's software says
		}
		update, ok := e.(live.Layer)
		if !ok {
			continue
		}
		layers, err := s.layers(stream.Context(), update.Layer, update.Layer)
		if err != nil {
			return err
		}
		layers[0].Status = pb.Layer_LayerStatus(update.Status)
		if err := stream.Send(&pb.LayerStreamResponse{Layer: layers[0]}); err != nil {
			return err
		}
	}
}

// EpochStream lists the ATXs published in an epoch by identities with a clean slate.
func (s *meshService) EpochStream(in *pb.EpochStreamRequest, stream grpc.ServerStreamingServer[pb.EpochStreamResponse]) error {
	ids, err := activation.HonestIDs(stream.Context(), s.Node.DB, wire.EpochID(in.GetEpoch()))
	if err != nil {
		return node.Failed(err)
	}
	for i := range ids {
		if err := stream.Send(&pb.EpochStreamResponse{Id: &pb.ActivationId{Id: ids[i][:]}}); err != nil {
			return err
		}
	}
	return nil
}

// proofPage is how many proofs are read at a time.
const proofPage = 200

// MalfeasanceStream tells all proofs, and then new ones.
func (s *meshService) MalfeasanceStream(in *pb.MalfeasanceStreamRequest, stream grpc.ServerStreamingServer[pb.MalfeasanceStreamResponse]) error {
	sub := s.Live.Subscribe(live.BufferV1, nil, live.KindMalfeasance)
	defer sub.Close()
	if err := stream.SendHeader(metadata.MD{}); err != nil {
		return err
	}
	send := func(id wire.NodeID, proof []byte) error {
		return stream.Send(&pb.MalfeasanceStreamResponse{Proof: evidence(id, proof, in.GetIncludeProof())})
	}
	if err := s.eachProof(stream.Context(), send); err != nil {
		return err
	}
	for {
		e, err := sub.Next(stream.Context())
		if err != nil {
			return ended(err, "buffer is full")
		}
		if m, ok := e.(live.Malfeasance); ok {
			if err := send(m.Node, m.Proof); err != nil {
				return err
			}
		}
	}
}

// eachProof goes through the stored proofs in the order in which they came.
func (a *api) eachProof(ctx context.Context, f func(wire.NodeID, []byte) error) error {
	for seq := int64(-1); ; {
		proofs, err := activation.ProofsAfter(ctx, a.Node.DB, seq, proofPage)
		if err != nil {
			return node.Failed(err)
		}
		for i := range proofs {
			if err := f(proofs[i].Node, proofs[i].Proof); err != nil {
				return err
			}
			seq = proofs[i].Seq
		}
		if len(proofs) < proofPage {
			return nil
		}
	}
}

// AccountMeshDataStream tells an account's new transactions, and ATXs that name it
// as coinbase.
func (s *meshService) AccountMeshDataStream(in *pb.AccountMeshDataStreamRequest, stream grpc.ServerStreamingServer[pb.AccountMeshDataStreamResponse]) error {
	account, err := s.meshFilter(in.GetFilter(), "in.Filter.AccountId.Address")
	if err != nil {
		return err
	}
	var of []live.Kind
	if flags := in.GetFilter().GetAccountMeshDataFlags(); flags&uint32(pb.AccountMeshDataFlag_ACCOUNT_MESH_DATA_FLAG_TRANSACTIONS) != 0 {
		of = append(of, live.KindTransactions)
	}
	if flags := in.GetFilter().GetAccountMeshDataFlags(); flags&uint32(pb.AccountMeshDataFlag_ACCOUNT_MESH_DATA_FLAG_ACTIVATIONS) != 0 {
		of = append(of, live.KindActivations)
	}
	sub := s.Live.Subscribe(live.BufferV1, meshMatch(account), of...)
	defer sub.Close()
	for {
		e, err := sub.Next(stream.Context())
		if err != nil {
			return ended(err, bufferText(err))
		}
		for _, d := range s.meshData(account, e) {
			if err := stream.Send(&pb.AccountMeshDataStreamResponse{Datum: d}); err != nil {
				return err
			}
		}
	}
}

// meshMatch keeps what concerns an account.
func meshMatch(account wire.Address) func(live.Event) bool {
	return func(e live.Event) bool {
		switch e := e.(type) {
		case live.Activation:
			return e.ATX.Coinbase == account
		case live.Transactions:
			for i := range e.Transactions {
				if h := e.Transactions[i].Header; h != nil && h.Principal == account {
					return true
				}
			}
		}
		return false
	}
}

func (s *meshService) meshData(account wire.Address, e live.Event) []*pb.AccountMeshData {
	switch e := e.(type) {
	case live.Activation:
		return []*pb.AccountMeshData{{Datum: &pb.AccountMeshData_Activation{Activation: s.activation(&e.ATX)}}}
	case live.Transactions:
		var out []*pb.AccountMeshData
		for i := range e.Transactions {
			if h := e.Transactions[i].Header; h != nil && h.Principal == account {
				out = append(out, &pb.AccountMeshData{Datum: &pb.AccountMeshData_MeshTransaction{
					MeshTransaction: &pb.MeshTransaction{Transaction: s.transaction(&e.Transactions[i])},
				}})
			}
		}
		return out
	}
	return nil
}
