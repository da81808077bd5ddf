package v1

import (
	"context"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v1"

	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Options are where and how an identity's data is made.
type Options struct {
	DataDir     string
	NumUnits    uint32
	MaxFileSize uint64
	ProviderID  *uint32
	Throttle    bool
}

// SmeshingStatus is what an operator who supervises one identity sees of it.
type SmeshingStatus struct {
	// Supervised says that there is one identity, whose data this node makes.
	Supervised bool
	// Listens says that there is a listener for the identity's post-service.
	Listens bool
	// Smeshing says that ATXs are being built.
	Smeshing bool
	Coinbase wire.Address
	// State, Labels and Options are of the last session of making data.
	State   pb.PostSetupStatus_State
	Labels  uint64
	Options *Options
}

// Smeshing is what this node's identities do.
type Smeshing interface {
	Status(ctx context.Context) (SmeshingStatus, error)
	Start(ctx context.Context, coinbase wire.Address, options Options) error
	Stop(ctx context.Context, deleteFiles bool) error
	SetCoinbase(ctx context.Context, coinbase wire.Address) error
	// Providers are the devices that make data; a benchmark takes seconds.
	Providers(ctx context.Context, benchmark bool) ([]*pb.PostSetupProvider, error)
	// Identities are those that this node has the keys of, in any order.
	Identities(ctx context.Context) ([]wire.NodeID, error)
	// Steps are where identities are.
	Steps(ctx context.Context) ([]activation.IdentityStep, error)
}

// Network is what the node knows of other nodes.
type Network interface {
	ConnectedPeers(ctx context.Context) ([]*pb.PeerInfo, error)
	Info(ctx context.Context) (*pb.NetworkInfoResponse, error)
	// ActiveSet is that of an epoch, with a reason if there is none.
	ActiveSet(ctx context.Context, epoch wire.EpochID) ([]wire.ATXID, error)
}
