package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/atx/atxcache"
	"github.com/smeshery/smeshery/pkg/block"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/layerclock"
	"github.com/smeshery/smeshery/pkg/mesh"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/proposal"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/tortoise"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/beacons"
	"github.com/smeshery/smeshery/services/consensus/internal/clock"
	"github.com/smeshery/smeshery/services/consensus/internal/db"
)

// ErrForeignNetwork says that the database belongs to another network.
var ErrForeignNetwork = errors.New("the database belongs to another network")

// Deps is what the engine works with.
type Deps struct {
	DB  *store.DB
	Bus *bus.Conn
	Log *slog.Logger
	Now func() time.Time
	// Seed keeps peers from choosing colliding index keys.
	Seed  uint64
	Costs *Costs
	// Timer is clock.System unless a test owns the time.
	Timer clock.Timer
	// Alone: this node is the whole network.
	Alone bool
	// Fence fails a transaction of a process that has lost its tenure. Nil is no
	// fence: nobody else is there.
	Fence func(ctx context.Context, tx pgx.Tx) error
	// Wake is told of new rows in the outbox. Nil is no outbox: users are told
	// nothing.
	Wake func()
}

// Engine is one node's consensus state.
type Engine struct {
	params  network.Params
	genesis wire.LayerID
	clock   layerclock.Clock
	judge   proposal.Judge
	deps    Deps

	// mu guards the pure state below. It is not held across I/O.
	mu       sync.RWMutex
	tortoise *tortoise.Tortoise
	index    *atxcache.Cache
	mesh     *mesh.Mesh
	weights  weights
	// outputs are layers whose hare output the tortoise heard.
	outputs map[wire.LayerID]bool
	// seen is the highest layer of which users were told that it has ballots.
	seen wire.LayerID

	// beacons has its own lock, which comes before mu.
	beacons *beacons.Book

	// processing serialises layers and news of them.
	processing sync.Mutex
	// certifying guards the certifier, and the outputs and certificates in the
	// database. It is taken after processing.
	certifying sync.Mutex
	certifier  *block.Certifier
	oracle     *Oracle

	// feeding serialises the feeds and guards their positions.
	feeding   sync.Mutex
	positions positions

	processed atomic.Uint32
	behind    atomic.Bool
	told      atomic.Bool // there are new rows in the outbox
	writer    *writer
}

// Open builds the state from the database. Run must be called to store anything.
func Open(ctx context.Context, params network.Params, deps Deps) (*Engine, error) {
	if deps.Timer == nil {
		deps.Timer = clock.System
	}
	e := &Engine{
		params: params, genesis: params.FirstEffectiveGenesis(), deps: deps,
		clock:   layerclock.Clock{Genesis: params.Genesis.Time, LayerDuration: params.LayerDuration},
		index:   atxcache.New(deps.Seed),
		weights: newWeights(),
		outputs: make(map[wire.LayerID]bool),
	}
	have, err := db.ClaimNetwork(ctx, deps.DB, params.Genesis.ID())
	if err != nil {
		return nil, err
	}
	if have != params.Genesis.ID() {
		return nil, fmt.Errorf("%w: it has genesis %s, this node is configured for %s", ErrForeignNetwork, have, params.Genesis.ID())
	}
	e.judge = proposal.Judge{Params: e.proposalParams()}
	e.writer = newWriter(e)
	if err := e.restore(ctx); err != nil {
		return nil, fmt.Errorf("restore consensus: %w", err)
	}
	return e, nil
}

func (e *Engine) proposalParams() proposal.Params {
	p := proposal.Params{
		LayersPerEpoch: e.params.LayersPerEpoch, LayerSize: e.params.LayerAverageSize,
		Hdist: e.params.Tortoise.Hdist, MaxExceptions: e.params.Tortoise.MaxExceptions,
		EffectiveGenesis: e.genesis, GoldenATX: e.params.Genesis.GoldenATX(),
		Verifier: e.verifier(),
	}
	for _, w := range e.params.Tortoise.MinimalActiveSetWeight {
		p.MinWeights = append(p.MinWeights, proposal.EpochWeight{Epoch: w.Epoch, Weight: w.Weight})
	}
	return p
}

func (e *Engine) verifier() signing.Verifier {
	id := e.params.Genesis.ID()
	return signing.NewVerifier(id[:])
}

// certifierParams are the numbers of spec 06 §2.
func (e *Engine) certifierParams() block.CertifierParams {
	zdist := e.params.Tortoise.Zdist
	return block.CertifierParams{
		EffectiveGenesis: e.genesis, Threshold: e.certifyCommittee()/2 + 1,
		LayerBuffer: zdist, LayersToKeep: 2 * zdist,
	}
}

// certifyCommittee is hare's committee where the network sets none.
func (e *Engine) certifyCommittee() int {
	if size := e.params.Certificate.CommitteeSize; size != 0 {
		return int(size)
	}
	return int(e.params.Hare3.Committee)
}

// Run writes what handlers hand over, until ctx ends.
func (e *Engine) Run(ctx context.Context) error { return e.writer.run(ctx) }

// current is the clock's layer.
func (e *Engine) current() wire.LayerID { return e.clock.LayerAt(e.deps.Now()) }

// Status is how far the node is.
type Status struct {
	Current, Processed, Verified, InState wire.LayerID
}

// Status is how far the node is.
func (e *Engine) Status() Status {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return Status{
		Current: e.current(), Processed: e.mesh.Processed(),
		Verified: e.tortoise.Verified(), InState: e.mesh.InState(),
	}
}

// evict drops what the tortoise needs no more. The lock is held.
func (e *Engine) evict(effects tortoise.Effects) {
	for _, epoch := range effects.DroppedEpochs {
		e.index.Evict(epoch + 1)
	}
}
