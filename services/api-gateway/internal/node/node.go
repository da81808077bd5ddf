package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/singleflight"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/layerclock"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/read/consensus"
	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Config of a Node.
type Config struct {
	Network network.Params
	// EffectiveGenesis is that of a checkpoint; 0 is the network's.
	EffectiveGenesis uint32
	// Timeout bounds what a unary call does.
	Timeout time.Duration
}

// Deps of a Node; all are needed.
type Deps struct {
	// DB may read all tables.
	DB  *store.DB
	Bus *bus.Conn
	Now func() time.Time
}

// Node answers the API's questions. It is safe for concurrent use.
type Node struct {
	DB  *store.DB
	Bus *bus.Conn
	Now func() time.Time
	// Network is the network's numbers.
	Network network.Params

	clock   layerclock.Clock
	machine *vm.Machine
	genesis wire.Hash20
	first   wire.LayerID
	timeout time.Duration
	synced  singleflight.Group
}

// New checks the numbers.
func New(cfg Config, deps Deps) (*Node, error) {
	if cfg.Network.LayersPerEpoch == 0 || cfg.Network.LayerDuration <= 0 || cfg.Network.HRP == "" {
		return nil, errors.New("network: layers per epoch, layer duration and prefix must be set")
	}
	n := &Node{
		DB: deps.DB, Bus: deps.Bus, Now: deps.Now, Network: cfg.Network, timeout: cfg.Timeout,
		genesis: cfg.Network.Genesis.ID(), first: cfg.Network.FirstEffectiveGenesis(),
	}
	if cfg.EffectiveGenesis > 0 {
		n.first = wire.LayerID(cfg.EffectiveGenesis)
	}
	params := vm.ParamsOf(&cfg.Network)
	params.EffectiveGenesis = n.first
	n.machine = vm.New(params, signing.NewVerifier(n.genesis[:]))
	n.clock = layerclock.Clock{Genesis: cfg.Network.Genesis.Time, LayerDuration: cfg.Network.LayerDuration}
	return n, nil
}

// GenesisID is the network's id.
func (n *Node) GenesisID() wire.Hash20 { return n.genesis }

// EffectiveGenesis is the layer that the first accounts stand for.
func (n *Node) EffectiveGenesis() wire.LayerID { return n.first }

// CurrentLayer is the clock's layer.
func (n *Node) CurrentLayer() wire.LayerID { return n.clock.LayerAt(n.Now()) }

// Bound gives a call its deadline.
func (n *Node) Bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, n.timeout)
}

// Status is how far the node is (spec 09 §3.6).
type Status struct {
	Peers  uint64
	Synced bool
	// Latest is the highest layer that anything was heard of, Applied the
	// last one in the state, Processed the last one that was tallied.
	Latest, Applied, Processed, Current wire.LayerID
}

// Status asks the rows, and the services for what only they know.
func (n *Node) Status(ctx context.Context) (Status, error) {
	s := Status{Current: n.CurrentLayer(), Synced: n.Synced(ctx), Peers: n.Peers(ctx)}
	progress, err := consensus.Progress(ctx, n.DB)
	if err != nil {
		return s, err
	}
	applied, _, err := state.LastApplied(ctx, n.DB)
	if err != nil {
		return s, err
	}
	s.Applied, s.Processed = applied, progress.Processed
	s.Latest = max(progress.Latest, applied)
	return s, nil
}

// askLimit is how long the gateway waits for services whose silence is an answer.
const askLimit = 2 * time.Second

// Synced tells whether consensus considers the node synced; while consensus is
// away it does not.
//
// Calls that come while consensus is being asked share its answer: however many
// clients submit, its queue holds one question of this gateway.
func (n *Node) Synced(ctx context.Context) bool {
	answer := n.synced.DoChan("", func() (any, error) {
		asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), askLimit)
		defer cancel()
		r, err := bus.ConsensusStatus().Call(asking, n.Bus, bus.None{})
		return err == nil && r.Synced, nil
	})
	select {
	case r := <-answer:
		return r.Val == true
	case <-ctx.Done():
		return false
	}
}

// Peers is the number of connected peers; 0 while gossip is away.
func (n *Node) Peers(ctx context.Context) uint64 {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	r, err := bus.GossipStatus().Call(ctx, n.Bus, bus.None{})
	if err != nil {
		return 0
	}
	return uint64(r.Peers)
}

// Failed is the answer to a query that failed, which clients get as Internal;
// what they caused themselves keeps its code.
func Failed(err error) error {
	var known interface{ GRPCStatus() *status.Status }
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case errors.Is(err, context.Canceled):
		return status.Error(codes.Canceled, "canceled")
	case errors.Is(err, context.DeadlineExceeded):
		return status.Error(codes.DeadlineExceeded, "the query takes too long")
	}
	return status.Error(codes.Internal, fmt.Sprintf("query failed: %v", err))
}
