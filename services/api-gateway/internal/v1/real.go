package v1

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v1"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/store/read/consensus"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/api-gateway/internal/node"
)

// Real is Smeshing and Network by the rows of the other services and by requests
// to them.
type Real struct{ *node.Node }

// supervisedName is the key file of an identity that the node supervises.
const supervisedName = "local.key"

// Status is Smeshing. Without an activation that answers nobody smeshes.
func (r Real) Status(ctx context.Context) (SmeshingStatus, error) {
	steps, err := r.Steps(ctx)
	if err != nil {
		return SmeshingStatus{}, err
	}
	s := SmeshingStatus{
		Supervised: len(steps) == 1 && steps[0].Name == supervisedName, Listens: true,
		State: pb.PostSetupStatus_STATE_NOT_STARTED,
	}
	if len(steps) == 1 {
		if err := r.setup(ctx, &s, steps[0].Node); err != nil {
			return s, err
		}
	}
	err = r.all(ctx, bus.SmeshingRequest{}, func(told bus.SmeshingReply) {
		s.Smeshing = s.Smeshing || told.Smeshing
		s.Coinbase = told.Coinbase
	})
	if errors.Is(err, bus.Unavailable) {
		err = nil
	}
	return s, err
}

func (r Real) setup(ctx context.Context, s *SmeshingStatus, id wire.NodeID) error {
	data, ok, err := activation.DataOf(ctx, r.DB, id)
	if err != nil || !ok {
		return err
	}
	s.State, s.Options = pb.PostSetupStatus_STATE_IN_PROGRESS, &Options{NumUnits: data.Units}
	if data.Complete {
		s.State, s.Labels = pb.PostSetupStatus_STATE_COMPLETE, uint64(data.Units)*r.Network.Post.LabelsPerUnit
	}
	return nil
}

// all tells every activation, and needs one to answer.
func (r Real) all(ctx context.Context, request bus.SmeshingRequest, told func(bus.SmeshingReply)) error {
	holders, err := activation.Instances(ctx, r.DB)
	if err != nil {
		return err
	}
	answered, failed := false, error(bus.Errorf(bus.Unavailable, "no activation runs"))
	for _, holder := range holders {
		reply, err := bus.Smeshing(holder).Call(ctx, r.Bus, request)
		if err != nil {
			failed = fmt.Errorf("%s: %w", holder, err)
			continue
		}
		answered = true
		told(reply)
	}
	if answered {
		return nil
	}
	return failed
}

// Start is Smeshing. The data is made as the node is configured; options are for
// nodes that make it at the operator's word.
func (r Real) Start(ctx context.Context, coinbase wire.Address, _ Options) error {
	on := true
	return r.all(ctx, bus.SmeshingRequest{Smeshing: &on, Coinbase: &coinbase}, func(bus.SmeshingReply) {})
}

var errKeepsFiles = errors.New("smeshing stopped, but the data stays: it is deleted where it lies, not over the network")

// Stop is Smeshing. Data is deleted by nobody's request over the network.
func (r Real) Stop(ctx context.Context, deleteFiles bool) error {
	off := false
	if err := r.all(ctx, bus.SmeshingRequest{Smeshing: &off}, func(bus.SmeshingReply) {}); err != nil {
		return err
	}
	if deleteFiles {
		return errKeepsFiles
	}
	return nil
}

// SetCoinbase is Smeshing.
func (r Real) SetCoinbase(ctx context.Context, coinbase wire.Address) error {
	return r.all(ctx, bus.SmeshingRequest{Coinbase: &coinbase}, func(bus.SmeshingReply) {})
}

// Providers is Smeshing: what every node has.
func (r Real) Providers(context.Context, bool) ([]*pb.PostSetupProvider, error) {
	return []*pb.PostSetupProvider{{Id: math.MaxUint32, Model: "[CPU] smeshery"}}, nil
}

// Identities is Smeshing.
func (r Real) Identities(ctx context.Context) ([]wire.NodeID, error) {
	ids, err := activation.OwnIdentities(ctx, r.DB)
	return slices.Collect(maps.Keys(ids)), err
}

// Steps is Smeshing.
func (r Real) Steps(ctx context.Context) ([]activation.IdentityStep, error) {
	return activation.Steps(ctx, r.DB)
}

// ConnectedPeers is Network: until the node speaks to others there are none.
func (r Real) ConnectedPeers(context.Context) ([]*pb.PeerInfo, error) { return nil, nil }

// Info is Network: until the node speaks to others nothing is known.
func (r Real) Info(context.Context) (*pb.NetworkInfoResponse, error) {
	return &pb.NetworkInfoResponse{}, nil
}

var errNoActiveSet = errors.New("no active set")

// ActiveSet is Network: the set that ballots of this node name.
func (r Real) ActiveSet(ctx context.Context, epoch wire.EpochID) ([]wire.ATXID, error) {
	set, ok, err := consensus.PreparedSet(ctx, r.DB, epoch)
	if err == nil && !ok {
		err = errNoActiveSet
	}
	return set, err
}
