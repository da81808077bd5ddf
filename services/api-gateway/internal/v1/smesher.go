package v1

import (
	"context"
	"errors"
	"time"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v1"
	rpc "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/services/api-gateway/internal/node"
)

// smesherService is spec 09 §6.3: for operators who run one identity and let the
// node make its data.
type smesherService struct {
	pb.UnimplementedSmesherServiceServer
	*api
}

var (
	errNotSupervised = status.Error(codes.FailedPrecondition, "node is not configured for supervised smeshing")
	errNoSupervisor  = status.Error(codes.FailedPrecondition, "post supervisor config is not set")
)

// unserved is what clients are told of requests that this node does not take.
func unserved(err error) error {
	if errors.Is(err, bus.Unavailable) {
		return errNotSupervised
	}
	return node.Failed(err)
}

func (s *smesherService) supervised(ctx context.Context) (SmeshingStatus, error) {
	now, err := s.Smeshing.Status(ctx)
	if err != nil {
		return now, node.Failed(err)
	}
	if !now.Supervised {
		return now, errNotSupervised
	}
	return now, nil
}

// IsSmeshing tells whether ATXs are being built.
func (s *smesherService) IsSmeshing(ctx context.Context, _ *emptypb.Empty) (*pb.IsSmeshingResponse, error) {
	ctx, cancel := s.Node.Bound(ctx)
	defer cancel()
	now, err := s.supervised(ctx)
	if err != nil {
		return nil, err
	}
	return &pb.IsSmeshingResponse{IsSmeshing: now.Smeshing}, nil
}

// StartSmeshing makes the identity's data and then its ATXs. Options that make no
// sense count as none, as they always did.
func (s *smesherService) StartSmeshing(ctx context.Context, in *pb.StartSmeshingRequest) (*pb.StartSmeshingResponse, error) {
	ctx, cancel := s.Node.Bound(ctx)
	defer cancel()
	now, err := s.supervised(ctx)
	if err != nil {
		return nil, err
	}
	if !now.Listens {
		return nil, errNoSupervisor
	}
	if in.GetCoinbase() == nil {
		return nil, invalid("`Coinbase` must be provided")
	}
	coinbase, err := s.parse("in.Coinbase.Address", in.GetCoinbase().GetAddress())
	if err != nil {
		return nil, err
	}
	if err := s.Smeshing.Start(ctx, coinbase, options(in.GetOpts())); err != nil {
		return nil, internal("failed to start smeshing: " + err.Error())
	}
	return &pb.StartSmeshingResponse{Status: &rpc.Status{}}, nil
}

func options(o *pb.PostSetupOpts) Options {
	if o.GetDataDir() == "" || o.GetNumUnits() == 0 || o.GetMaxFileSize() == 0 {
		return Options{}
	}
	return Options{
		DataDir: o.GetDataDir(), NumUnits: o.GetNumUnits(), MaxFileSize: o.GetMaxFileSize(),
		ProviderID: o.ProviderId, Throttle: o.GetThrottle(),
	}
}

// StopSmeshing ends it, and deletes the data if asked to.
func (s *smesherService) StopSmeshing(ctx context.Context, in *pb.StopSmeshingRequest) (*pb.StopSmeshingResponse, error) {
	ctx, cancel := s.Node.Bound(ctx)
	defer cancel()
	if err := s.Smeshing.Stop(ctx, in.GetDeleteFiles()); err != nil {
		if errors.Is(err, bus.Unavailable) {
			return nil, errNotSupervised
		}
		if errors.Is(err, errKeepsFiles) {
			return nil, status.Error(codes.FailedPrecondition, err.Error())
		}
		return nil, internal("failed to stop smeshing: " + err.Error())
	}
	return &pb.StopSmeshingResponse{Status: &rpc.Status{}}, nil
}

// SmesherIDs are all identities that this node has the keys of.
func (s *smesherService) SmesherIDs(ctx context.Context, _ *emptypb.Empty) (*pb.SmesherIDsResponse, error) {
	ctx, cancel := s.Node.Bound(ctx)
	defer cancel()
	ids, err := s.Smeshing.Identities(ctx)
	if err != nil {
		return nil, node.Failed(err)
	}
	out := &pb.SmesherIDsResponse{}
	for i := range ids {
		out.PublicKeys = append(out.PublicKeys, ids[i][:])
	}
	return out, nil
}

// Coinbase is who is rewarded.
func (s *smesherService) Coinbase(ctx context.Context, _ *emptypb.Empty) (*pb.CoinbaseResponse, error) {
	ctx, cancel := s.Node.Bound(ctx)
	defer cancel()
	now, err := s.Smeshing.Status(ctx)
	if err != nil {
		return nil, node.Failed(err)
	}
	return &pb.CoinbaseResponse{AccountId: s.account(now.Coinbase)}, nil
}

// SetCoinbase changes who is rewarded, from the next ATX on.
func (s *smesherService) SetCoinbase(ctx context.Context, in *pb.SetCoinbaseRequest) (*pb.SetCoinbaseResponse, error) {
	ctx, cancel := s.Node.Bound(ctx)
	defer cancel()
	if in.GetId() == nil {
		return nil, invalid("`Id` must be provided")
	}
	coinbase, err := s.parse("in.Id.Address", in.GetId().GetAddress())
	if err != nil {
		return nil, err
	}
	if err := s.Smeshing.SetCoinbase(ctx, coinbase); err != nil {
		return nil, unserved(err)
	}
	return &pb.SetCoinbaseResponse{Status: &rpc.Status{}}, nil
}

// PostSetupStatus is how far the data is.
func (s *smesherService) PostSetupStatus(ctx context.Context, _ *emptypb.Empty) (*pb.PostSetupStatusResponse, error) {
	ctx, cancel := s.Node.Bound(ctx)
	defer cancel()
	now, err := s.setup(ctx)
	if err != nil {
		return nil, err
	}
	return &pb.PostSetupStatusResponse{Status: now}, nil
}

func (s *smesherService) setup(ctx context.Context) (*pb.PostSetupStatus, error) {
	now, err := s.Smeshing.Status(ctx)
	if err != nil {
		return nil, node.Failed(err)
	}
	out := &pb.PostSetupStatus{State: now.State, NumLabelsWritten: now.Labels}
	if o := now.Options; o != nil {
		out.Opts = &pb.PostSetupOpts{
			DataDir: o.DataDir, NumUnits: o.NumUnits, MaxFileSize: o.MaxFileSize, ProviderId: o.ProviderID, Throttle: o.Throttle,
		}
	}
	return out, nil
}

// PostSetupStatusStream tells how far the data is, again and again.
func (s *smesherService) PostSetupStatusStream(_ *emptypb.Empty, stream grpc.ServerStreamingServer[pb.PostSetupStatusStreamResponse]) error {
	ticker := time.NewTicker(s.StatusInterval)
	defer ticker.Stop()
	for {
		select {
		case <-stream.Context().Done():
			return nil
		case <-ticker.C:
		}
		now, err := s.setup(stream.Context())
		if err != nil {
			return err
		}
		if err := stream.Send(&pb.PostSetupStatusStreamResponse{Status: now}); err != nil {
			return err
		}
	}
}

// PostSetupProviders lists the devices that make data.
func (s *smesherService) PostSetupProviders(ctx context.Context, in *pb.PostSetupProvidersRequest) (*pb.PostSetupProvidersResponse, error) {
	ctx, cancel := s.Node.Bound(ctx)
	defer cancel()
	providers, err := s.Smeshing.Providers(ctx, in.GetBenchmark())
	if err != nil {
		return nil, unserved(err)
	}
	return &pb.PostSetupProvidersResponse{Providers: providers}, nil
}

// labelBits is how many bits a label has.
const labelBits = 128

// PostConfig is what the network asks of data.
func (s *smesherService) PostConfig(context.Context, *emptypb.Empty) (*pb.PostConfigResponse, error) {
	p := &s.Post
	return &pb.PostConfigResponse{
		BitsPerLabel: labelBits, LabelsPerUnit: p.LabelsPerUnit, MinNumUnits: p.MinNumUnits, MaxNumUnits: p.MaxNumUnits,
		K1: p.K1, K2: p.K2,
	}, nil
}

// postInfoService is spec 09 §6.4.
type postInfoService struct {
	pb.UnimplementedPostInfoServiceServer
	*api
}

// PostStates tells orchestrators whose post-service has work.
func (s *postInfoService) PostStates(ctx context.Context, _ *pb.PostStatesRequest) (*pb.PostStatesResponse, error) {
	ctx, cancel := s.Node.Bound(ctx)
	defer cancel()
	steps, err := s.Smeshing.Steps(ctx)
	if err != nil {
		return nil, node.Failed(err)
	}
	out := &pb.PostStatesResponse{}
	for i := range steps {
		state := pb.PostState_IDLE
		if steps[i].Step.Proving() {
			state = pb.PostState_PROVING
		}
		out.States = append(out.States, &pb.PostState{Id: steps[i].Node[:], Name: steps[i].Name, State: state})
	}
	return out, nil
}
