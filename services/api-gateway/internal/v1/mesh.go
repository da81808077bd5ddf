package v1

import (
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"time"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/api-gateway/internal/node"
)

// meshService is spec 09 §5.2.
type meshService struct {
	pb.UnimplementedMeshServiceServer
	*api
}

// GenesisTime is in seconds since 1970.
func (s *meshService) GenesisTime(context.Context, *pb.GenesisTimeRequest) (*pb.GenesisTimeResponse, error) {
	return &pb.GenesisTimeResponse{Unixtime: &pb.SimpleInt{Value: uint64(s.Node.Network.Genesis.Time.Unix())}}, nil
}

// CurrentLayer is by the clock.
func (s *meshService) CurrentLayer(context.Context, *pb.CurrentLayerRequest) (*pb.CurrentLayerResponse, error) {
	return &pb.CurrentLayerResponse{Layernum: number(s.Node.CurrentLayer())}, nil
}

// CurrentEpoch is by the clock.
func (s *meshService) CurrentEpoch(context.Context, *pb.CurrentEpochRequest) (*pb.CurrentEpochResponse, error) {
	epoch := s.Node.Network.Epoch(s.Node.CurrentLayer())
	return &pb.CurrentEpochResponse{Epochnum: &pb.EpochNumber{Number: uint32(epoch)}}, nil
}

// GenesisID names the network.
func (s *meshService) GenesisID(context.Context, *pb.GenesisIDRequest) (*pb.GenesisIDResponse, error) {
	id := s.Node.GenesisID()
	return &pb.GenesisIDResponse{GenesisId: id[:]}, nil
}

// EpochNumLayers is how many layers make an epoch.
func (s *meshService) EpochNumLayers(context.Context, *pb.EpochNumLayersRequest) (*pb.EpochNumLayersResponse, error) {
	return &pb.EpochNumLayersResponse{Numlayers: number(s.Node.Network.LayersPerEpoch)}, nil
}

// LayerDuration is in whole seconds.
func (s *meshService) LayerDuration(context.Context, *pb.LayerDurationRequest) (*pb.LayerDurationResponse, error) {
	return &pb.LayerDurationResponse{Duration: &pb.SimpleInt{Value: s.layerSeconds()}}, nil
}

func (s *meshService) layerSeconds() uint64 {
	return uint64(s.Node.Network.LayerDuration / time.Second)
}

// MaxTransactionsPerSecond is what proposals can hold; its arithmetic is of 32 bits.
func (s *meshService) MaxTransactionsPerSecond(context.Context, *pb.MaxTransactionsPerSecondRequest) (*pb.MaxTransactionsPerSecondResponse, error) {
	p := &s.Node.Network
	perLayer := uint32(p.TxsPerProposal) * p.LayerAverageSize
	perSecond := uint32(0)
	if seconds := uint32(s.layerSeconds()); seconds > 0 {
		perSecond = perLayer / seconds
	}
	return &pb.MaxTransactionsPerSecondResponse{MaxTxsPerSecond: &pb.SimpleInt{Value: uint64(perSecond)}}, nil
}

// AccountMeshDataQuery lists what an account sent.
func (s *meshService) AccountMeshDataQuery(ctx context.Context, in *pb.AccountMeshDataQueryRequest) (*pb.AccountMeshDataQueryResponse, error) {
	ctx, cancel := s.Node.Bound(ctx)
	defer cancel()
	now, err := s.Node.Status(ctx)
	if err != nil {
		return nil, node.Failed(err)
	}
	first := wire.LayerID(in.GetMinLayer().GetNumber())
	if first > now.Latest {
		return nil, invalid("`LatestLayer` must be less than or equal to latest layer")
	}
	principal, err := s.meshFilter(in.GetFilter(), "Filter.AccountId.Address")
	if err != nil {
		return nil, err
	}
	if in.GetFilter().GetAccountMeshDataFlags()&uint32(pb.AccountMeshDataFlag_ACCOUNT_MESH_DATA_FLAG_TRANSACTIONS) == 0 {
		return &pb.AccountMeshDataQueryResponse{}, nil
	}
	all, err := state.TransactionsOfPrincipal(ctx, s.Node.DB, principal, first, now.Latest)
	if err != nil {
		return nil, node.Failed(err)
	}
	from, to, ok := page(len(all), in.GetOffset(), in.GetMaxResults())
	if !ok {
		return &pb.AccountMeshDataQueryResponse{}, nil
	}
	data, err := s.meshTransactions(ctx, all[from:to])
	if err != nil {
		return nil, err
	}
	return &pb.AccountMeshDataQueryResponse{Data: data, TotalResults: uint32(len(all))}, nil
}

// meshFilter checks a filter in the order of spec 09 §5.2.
func (a *api) meshFilter(f *pb.AccountMeshDataFilter, field string) (wire.Address, error) {
	switch {
	case f == nil:
		return wire.Address{}, invalid("`Filter` must be provided")
	case f.GetAccountId() == nil:
		return wire.Address{}, invalid("`Filter.AccountId` must be provided")
	case f.GetAccountMeshDataFlags() == 0:
		return wire.Address{}, invalid("`Filter.AccountMeshDataFlags` must set at least one bitfield")
	}
	return a.parse(field, f.GetAccountId().GetAddress())
}

// page cuts [offset, offset+limit) out of n results; a limit of 0 is none. It is
// false if the offset is behind the end.
func page(n int, offset, limit uint32) (from, to int, ok bool) {
	if uint64(offset) > uint64(n) {
		return 0, 0, false
	}
	from, to = int(offset), n
	if limit > 0 {
		to = int(min(uint64(n), uint64(offset)+uint64(limit)))
	}
	return from, to, true
}

func (s *meshService) meshTransactions(ctx context.Context, some []state.PrincipalTransaction) ([]*pb.AccountMeshData, error) {
	size := 0
	data := make([]*pb.AccountMeshData, 0, min(len(some), txChunk))
	for len(some) > 0 {
		chunk := some[:min(len(some), txChunk)]
		some = some[len(chunk):]
		ids := make([]wire.TransactionID, len(chunk))
		for i := range chunk {
			ids[i] = chunk[i].ID
		}
		txs, err := s.transactions(ctx, ids)
		if err != nil {
			return nil, err
		}
		for i := range chunk {
			tx := txs[chunk[i].ID]
			if tx == nil {
				return nil, internal("error retrieving tx data")
			}
			d := &pb.AccountMeshData{Datum: &pb.AccountMeshData_MeshTransaction{MeshTransaction: &pb.MeshTransaction{
				Transaction: s.transaction(tx), LayerId: number(chunk[i].Layer),
			}}}
			if size += proto.Size(d); size > s.SendSize {
				return nil, s.tooLarge()
			}
			data = append(data, d)
		}
	}
	return data, nil
}

// txChunk is how many transactions are read at a time.
const txChunk = 1000

// tooLarge is what the transport would say of a response that is too large; it is
// said before all of it is in memory.
func (a *api) tooLarge() error {
	return status.Errorf(codes.ResourceExhausted, "trying to send message larger than max (%d)", a.SendSize)
}

// transactions reads transactions by their ids; what is not stored is left out.
func (a *api) transactions(ctx context.Context, ids []wire.TransactionID) (map[wire.TransactionID]*state.Transaction, error) {
	found, err := state.TransactionsByID(ctx, a.Node.DB, ids)
	if err != nil {
		return nil, node.Failed(err)
	}
	out := make(map[wire.TransactionID]*state.Transaction, len(found))
	for i := range found {
		out[found[i].ID] = &found[i]
	}
	return out, nil
}

// MalfeasanceQuery tells what is known against an identity.
func (s *meshService) MalfeasanceQuery(ctx context.Context, in *pb.MalfeasanceRequest) (*pb.MalfeasanceResponse, error) {
	ctx, cancel := s.Node.Bound(ctx)
	defer cancel()
	id, err := hex.DecodeString(in.GetSmesherHex())
	if err != nil {
		return nil, invalid(err.Error())
	}
	if len(id) != len(wire.NodeID{}) {
		return nil, invalid(fmt.Sprintf("invalid smesher id length (%d), expected (32)", len(id)))
	}
	proofs, err := activation.ProofsOf(ctx, s.Node.DB, []wire.NodeID{wire.NodeID(id)})
	if err != nil {
		return nil, node.Failed(err)
	}
	if len(proofs) == 0 {
		return &pb.MalfeasanceResponse{Proof: &pb.MalfeasanceProof{}}, nil
	}
	return &pb.MalfeasanceResponse{Proof: evidence(proofs[0].Node, proofs[0].Proof, in.GetIncludeProof())}, nil
}

// LayersQuery lists layers with their applied blocks.
func (s *meshService) LayersQuery(ctx context.Context, in *pb.LayersQueryRequest) (*pb.LayersQueryResponse, error) {
	ctx, cancel := s.Node.Bound(ctx)
	defer cancel()
	from, to := wire.LayerID(in.GetStartLayer().GetNumber()), wire.LayerID(in.GetEndLayer().GetNumber())
	out := &pb.LayersQueryResponse{}
	if from > to {
		return out, nil
	}
	if uint64(to-from) > uint64(s.SendSize/minLayerSize) {
		return nil, s.tooLarge()
	}
	now, err := s.Node.Status(ctx)
	if err != nil {
		return nil, node.Failed(err)
	}
	size := 0
	for first := uint64(from); first <= uint64(to); first += layerChunk {
		last := wire.LayerID(min(uint64(to), first+layerChunk-1, math.MaxUint32))
		layers, err := s.layers(ctx, wire.LayerID(first), last)
		if err != nil {
			return nil, err
		}
		for _, l := range layers {
			l.Status = layerStatus(wire.LayerID(l.GetNumber().GetNumber()), now)
			size += proto.Size(l)
		}
		if size > s.SendSize {
			return nil, s.tooLarge()
		}
		out.Layer = append(out.Layer, layers...)
	}
	return out, nil
}

// minLayerSize is the least that a layer takes in a response, in bytes; layerChunk
// is how many are read at a time.
const (
	minLayerSize = 4
	layerChunk   = 100
)

func layerStatus(l wire.LayerID, now node.Status) pb.Layer_LayerStatus {
	switch {
	case l <= now.Processed:
		return pb.Layer_LAYER_STATUS_CONFIRMED
	case l <= now.Applied:
		return pb.Layer_LAYER_STATUS_APPROVED
	}
	return pb.Layer_LAYER_STATUS_UNSPECIFIED
}
