package proposing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/atx/atxcache"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/layerclock"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/db"
)

// ErrNoBeacon says that the epoch's beacon is not known, without which nobody can
// vote.
var ErrNoBeacon = errors.New("the epoch has no beacon")

// Node is what building asks of consensus's memory: *engine.Engine.
type Node interface {
	// BeaconOf is an epoch's beacon.
	BeaconOf(wire.EpochID) (wire.Beacon, bool)
	// OwnATXs are activations of identities that target an epoch.
	OwnATXs(wire.EpochID, []wire.NodeID) map[wire.NodeID]atxcache.Entry
	// Opinion is the node's votes for a ballot in a layer, and the mesh hash.
	Opinion(context.Context, wire.LayerID) (*wire.Opinion, wire.Hash32, error)
	// FirstBlockSet is the active set from an epoch's first block, or nil.
	FirstBlockSet(context.Context, wire.EpochID) ([]wire.ATXID, error)
	// Write runs a transaction that fails without the tenure.
	Write(context.Context, func(pgx.Tx) error) error
}

// Signer signs for local identities: *signer.Signer.
type Signer interface {
	Identities() []wire.NodeID
	Sign(ctx context.Context, items []bus.SignItem) []bus.SignResult
	Prove(ctx context.Context, items []bus.VRFItem) []bus.VRFResult
}

// Select asks state for transactions to propose.
type Select func(ctx context.Context, r bus.SelectRequest) (bus.SelectReply, error)

// Deps is what a builder works with; all fields are needed.
type Deps struct {
	DB      *store.DB
	Node    Node
	Signer  Signer
	Select  Select
	Log     *slog.Logger
	Metrics *Metrics
	Now     func() time.Time
	// Wake is told of new rows in the outbox.
	Wake func()
	// Alone: the network is this node only. Where too few ATXs came in good time
	// for an active set, all count: nobody else disagrees.
	Alone bool
}

// Builder builds the proposals of all identities. It is used by one goroutine.
type Builder struct {
	params network.Params
	clock  layerclock.Clock
	deps   Deps
	// epochs are the current one and, once it is prepared, the next.
	epochs map[wire.EpochID]*epoch
}

// New makes a builder that remembers nothing: rows tell the rest.
func New(params network.Params, deps Deps) *Builder {
	return &Builder{
		params: params, deps: deps, epochs: make(map[wire.EpochID]*epoch),
		clock: layerclock.Clock{Genesis: params.Genesis.Time, LayerDuration: params.LayerDuration},
	}
}

// epoch is what identities share in an epoch.
type epoch struct {
	id      wire.EpochID
	set     *db.PreparedSet
	beacon  wire.Beacon
	members map[wire.NodeID]*member
}

// member is an identity with an ATX for the epoch and a schedule.
type member struct {
	node   wire.NodeID
	atx    wire.ATXID
	weight uint64
	nonce  uint64
	// reference is the first ballot of the epoch, zero until it is stored.
	reference wire.BallotID
	beacon    wire.Beacon
	slots     uint32
	schedule  map[wire.LayerID][]wire.VotingEligibility
	// last is the layer of the last ballot.
	last wire.LayerID
}

// Prepare makes ready what an epoch needs. What is there already costs nothing.
func (b *Builder) Prepare(ctx context.Context, id wire.EpochID) error {
	_, err := b.open(ctx, id, b.params.FirstLayer(id))
	return err
}

// Build builds, signs and hands over the proposals of a layer. It answers how many
// there are. A repeat finds the layer built.
func (b *Builder) Build(ctx context.Context, layer wire.LayerID) (int, error) {
	ids := b.deps.Signer.Identities()
	if len(ids) == 0 {
		return 0, nil
	}
	e, err := b.open(ctx, b.params.Epoch(layer), layer)
	if err != nil || e == nil {
		return 0, err
	}
	if err := b.refer(ctx, e); err != nil {
		return 0, err
	}
	due := e.due(layer, ids)
	if len(due) == 0 {
		return 0, nil
	}
	return b.propose(ctx, e, layer, due)
}

// open answers the epoch with schedules for all identities that can have one; nil
// if none has an ATX.
func (b *Builder) open(ctx context.Context, id wire.EpochID, layer wire.LayerID) (*epoch, error) {
	for old := range b.epochs {
		if old+1 < id {
			delete(b.epochs, old)
		}
	}
	ids := b.deps.Signer.Identities()
	entries := b.deps.Node.OwnATXs(id, ids)
	if len(entries) == 0 {
		return nil, nil
	}
	e := b.epochs[id]
	if e == nil {
		beacon, ok := b.deps.Node.BeaconOf(id)
		if !ok || beacon == (wire.Beacon{}) {
			return nil, fmt.Errorf("%w: epoch %d", ErrNoBeacon, id)
		}
		set, err := b.activeSet(ctx, id, layer)
		if err != nil {
			return nil, err
		}
		e = &epoch{id: id, set: set, beacon: beacon, members: make(map[wire.NodeID]*member)}
		b.epochs[id] = e
	}
	var fresh []*member
	for _, node := range ids {
		entry, ok := entries[node]
		if ok && e.members[node] == nil {
			fresh = append(fresh, &member{node: node, atx: entry.ID, weight: entry.Weight, nonce: entry.Nonce})
		}
	}
	if len(fresh) == 0 {
		return e, nil
	}
	return e, b.enlist(ctx, e, fresh)
}

// due are the members with slots in the layer that have no ballot in it or above,
// in the order of ids. From now on the layer is built for all members.
func (e *epoch) due(layer wire.LayerID, ids []wire.NodeID) (out []*member) {
	for _, id := range ids {
		m := e.members[id]
		if m == nil || m.last >= layer {
			continue
		}
		m.last = layer
		if len(m.schedule[layer]) > 0 {
			out = append(out, m)
		}
	}
	return out
}
