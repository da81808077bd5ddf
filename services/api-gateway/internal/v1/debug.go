package v1

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/api-gateway/internal/live"
	"github.com/smeshery/smeshery/services/api-gateway/internal/node"
)

// debugService is spec 09 §6.6.
type debugService struct {
	pb.UnimplementedDebugServiceServer
	*api
}

// Accounts lists all accounts as they were at a layer; 0 is now.
func (s *debugService) Accounts(ctx context.Context, in *pb.AccountsRequest) (*pb.AccountsResponse, error) {
	ctx, cancel := s.Node.Bound(ctx)
	defer cancel()
	at := state.Latest
	if in.GetLayer() != 0 {
		at = wire.LayerID(in.GetLayer())
	}
	accounts, err := state.AllAccountsAt(ctx, s.Node.DB, at)
	if err != nil || len(accounts) == 0 {
		return nil, internal("error fetching accounts state")
	}
	out := &pb.AccountsResponse{AccountWrapper: make([]*pb.Account, len(accounts))}
	for i := range accounts {
		out.AccountWrapper[i] = &pb.Account{
			AccountId:    s.account(accounts[i].Address),
			StateCurrent: &pb.AccountState{Counter: accounts[i].NextNonce, Balance: amount(accounts[i].Balance)},
		}
	}
	return out, nil
}

// NetworkInfo is how the node is connected.
func (s *debugService) NetworkInfo(ctx context.Context, _ *emptypb.Empty) (*pb.NetworkInfoResponse, error) {
	ctx, cancel := s.Node.Bound(ctx)
	defer cancel()
	info, err := s.Network.Info(ctx)
	if err != nil {
		return nil, node.Failed(err)
	}
	slices.Sort(info.ListenAddresses)
	slices.Sort(info.KnownAddresses)
	return info, nil
}

// ActiveSet is that of an epoch.
func (s *debugService) ActiveSet(ctx context.Context, in *pb.ActiveSetRequest) (*pb.ActiveSetResponse, error) {
	ctx, cancel := s.Node.Bound(ctx)
	defer cancel()
	set, err := s.Network.ActiveSet(ctx, wire.EpochID(in.GetEpoch()))
	if err != nil {
		return nil, internal(fmt.Sprintf("active set for epoch %d: %v", in.GetEpoch(), err))
	}
	out := &pb.ActiveSetResponse{}
	for i := range set {
		out.Ids = append(out.Ids, &pb.ActivationId{Id: set[i][:]})
	}
	return out, nil
}

// ProposalsStream tells of proposals of this node's identities.
func (s *debugService) ProposalsStream(_ *emptypb.Empty, stream grpc.ServerStreamingServer[pb.Proposal]) error {
	sub := s.Live.Subscribe(live.BufferV1, nil, live.KindProposals)
	defer sub.Close()
	if err := stream.SendHeader(metadata.MD{}); err != nil {
		return err
	}
	for {
		e, err := sub.Next(stream.Context())
		if err != nil {
			return ended(err, "buffer is full")
		}
		if p, ok := e.(live.Proposal); ok {
			if err := stream.Send(s.proposal(p)); err != nil {
				return err
			}
		}
	}
}

func (s *debugService) proposal(e live.Proposal) *pb.Proposal {
	out := &pb.Proposal{
		Id: e.ID[:], Epoch: &pb.EpochNumber{Number: uint32(s.Node.Network.Epoch(e.Layer))}, Layer: number(e.Layer),
		Smesher: &pb.SmesherId{Id: e.Node[:]}, Status: pb.Proposal_Status(e.Status),
	}
	var p wire.Proposal
	if err := codec.Decode(e.Body, &p); err != nil {
		return out // its body is not told of in full; what is known is
	}
	ballot := p.Ballot.ID()
	out.Ballot = ballot[:]
	if p.EpochData != nil {
		out.EpochData = &pb.Proposal_Data{Data: &pb.EpochData{Beacon: p.EpochData.Beacon[:]}}
	} else {
		out.EpochData = &pb.Proposal_Reference{Reference: p.RefBallot[:]}
	}
	for i := range p.EligibilityProofs {
		proof := &p.EligibilityProofs[i]
		out.Eligibilities = append(out.Eligibilities, &pb.Eligibility{J: proof.J, Signature: proof.Sig[:]})
	}
	return out
}

// Levels are the log levels of modules, by their names.
type Levels map[string]*slog.LevelVar

// allModules stands for every module.
const allModules = "*"

// levels are the names that operators use.
var levels = map[string]slog.Level{
	"debug": slog.LevelDebug, "info": slog.LevelInfo, "": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	"dpanic": slog.LevelError + 4, "panic": slog.LevelError + 8, "fatal": slog.LevelError + 12,
}

// Set changes the level of a module.
func (l Levels) Set(module, level string) error {
	to, ok := levels[strings.ToLower(level)]
	if !ok {
		return fmt.Errorf("parse level: unrecognized level: %q", level)
	}
	if module == allModules {
		for _, v := range l {
			v.Set(to)
		}
		return nil
	}
	v, ok := l[module]
	if !ok {
		return errors.New("cannot find logger " + module)
	}
	v.Set(to)
	return nil
}

// ChangeLogLevel changes what a module logs. Its errors have no gRPC code.
func (s *debugService) ChangeLogLevel(_ context.Context, in *pb.ChangeLogLevelRequest) (*emptypb.Empty, error) {
	if err := s.Logs.Set(in.GetModule(), in.GetLevel()); err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, nil
}
