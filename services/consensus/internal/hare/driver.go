package hare

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/smeshery/smeshery/pkg/atx/atxcache"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/eligibility"
	protocol "github.com/smeshery/smeshery/pkg/hare"
	"github.com/smeshery/smeshery/pkg/layerclock"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/clock"
)

// Node is what hare asks of consensus's memory; *engine.Engine is one.
type Node interface {
	// BeaconOf is an epoch's beacon.
	BeaconOf(wire.EpochID) (wire.Beacon, bool)
	// VerifyHare verifies a signature in hare's domain.
	VerifyHare(wire.NodeID, []byte, wire.EdSignature) bool
	// IsMalicious tells whether an identity is known to be malicious.
	IsMalicious(wire.NodeID) bool
	// ATX is an activation of the index for a target epoch.
	ATX(wire.EpochID, wire.ATXID) (atxcache.Entry, bool)
	// Heights are the heights of the identities' activations for a target epoch.
	Heights(wire.EpochID, []wire.NodeID) []uint64
	// Tell takes a layer's weak coin.
	Tell(context.Context, bus.LayerNews) (bus.Judgement, error)
	// Accuse marks an identity and stores the proof.
	Accuse(context.Context, *wire.MalfeasanceProof)
}

// Oracle is the eligibility oracle; *engine.Oracle is one.
type Oracle interface {
	protocol.Oracle
	// SetSynced tells the sync state.
	SetSynced(bool)
}

// Keys are this node's identities; *signer.Signer is one.
type Keys interface {
	// Identities are those that take part.
	Identities() []wire.NodeID
	// Sign and Prove answer at the indices of their items.
	Sign(context.Context, []bus.SignItem) []bus.SignResult
	Prove(context.Context, []bus.VRFItem) []bus.VRFResult
}

// Publisher gives messages to their streams; *bus.Conn is one.
type Publisher interface {
	Store(context.Context, []bus.Stored) []error
}

// Results takes what was agreed on; it does not wait.
type Results interface {
	Put(layer wire.LayerID, proposals []wire.ProposalID)
}

// Exchange asks a peer for the full list of a compact message (spec 05 §10.5).
type Exchange func(ctx context.Context, peer string, request wire.Hash32) ([]byte, error)

// Deps is what a driver works with.
type Deps struct {
	Node      Node
	Oracle    Oracle
	Keys      Keys
	Publisher Publisher
	Results   Results
	Proposals *Proposals
	Charges   *Charges
	// Exchange is nil where peers cannot be asked; hare4 messages that need it are
	// then ignored.
	Exchange Exchange
	Log      *slog.Logger
	// Metrics may be nil.
	Metrics *Metrics
	Now     func() time.Time
	// Timer is clock.System unless a test owns the time.
	Timer clock.Timer
}

// Limits of what waits.
const (
	inboxLength  = 4096
	answerLength = 256
	// coinTries and coinPause are how long the database may be away before a coin
	// is given up.
	coinTries = 5
	coinPause = time.Second
	// exchangeTimeout is spec 05 §10.5.
	exchangeTimeout = 5 * time.Second
)

// Driver runs the sessions. Use New.
type Driver struct {
	deps     Deps
	layers   layerclock.Clock
	epoch    func(wire.LayerID) wire.EpochID
	versions []*version
	// first is the lowest layer that may have a session here.
	first wire.LayerID
	// seats tells which active set decides in a layer.
	seats eligibility.Params
	// vouched is the own message that is being judged: who made it here needs no
	// proof of it.
	vouched *own

	inbox   chan *delivery
	answers chan func()
	wake    chan struct{}
	coins   chan protocol.WeakCoin
	outbox  chan []outgoing
	ended   chan struct{}

	ctx   context.Context // Run's
	tasks sync.WaitGroup
}

// version is one of the two hares.
type version struct {
	core  *protocol.Hare
	topic bus.GossipTopic
	// pending are deliveries whose verdict a fetch decides.
	pending map[protocol.Ticket]*delivery
	// ahead are the layers whose proofs are made.
	ahead map[wire.LayerID]*ahead
}

// delivery is a gossip message on its way through the driver.
type delivery struct {
	version *version
	peer    string
	body    []byte
	done    chan bus.Judgement
}

// New makes a driver. It sits out the layer that the clock is in.
func New(params network.Params, deps Deps) (*Driver, error) {
	layers := layerclock.Clock{Genesis: params.Genesis.Time, LayerDuration: params.LayerDuration}
	if deps.Timer == nil {
		deps.Timer = clock.System
	}
	d := &Driver{
		deps: deps, layers: layers, epoch: params.Epoch,
		first: layers.LayerAt(deps.Now()) + 1,
		seats: eligibility.Params{
			LayersPerEpoch: params.LayersPerEpoch, Confidence: params.EligibilityConfidence,
			EffectiveGenesis: params.FirstEffectiveGenesis(),
		},
		inbox:   make(chan *delivery, inboxLength),
		answers: make(chan func(), answerLength),
		wake:    make(chan struct{}, 1),
		coins:   make(chan protocol.WeakCoin, 32),
		outbox:  make(chan []outgoing, 256),
		ended:   make(chan struct{}),
	}
	for _, v := range [...]struct {
		params network.HareParams
		hare4  bool
		topic  bus.GossipTopic
	}{{params.Hare3, false, bus.TopicHare3}, {params.Hare4, true, bus.TopicHare4}} {
		core, err := protocol.New(protocol.Params{
			HareParams: v.params, Hare4: v.hare4, LayersPerEpoch: params.LayersPerEpoch,
			EffectiveGenesis: params.FirstEffectiveGenesis(),
			LayerDuration:    params.LayerDuration, Zdist: params.Tortoise.Zdist,
		}, seating{deps.Oracle, d}, surroundings{d})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.topic, err)
		}
		d.versions = append(d.versions, &version{
			core: core, topic: v.topic, pending: make(map[protocol.Ticket]*delivery), ahead: make(map[wire.LayerID]*ahead),
		})
	}
	return d, nil
}

// Run drives sessions until ctx ends, and returns when all it started has ended.
// It is called once.
func (d *Driver) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	d.ctx = ctx
	defer d.tasks.Wait()
	defer close(d.ended)
	defer cancel()
	d.tasks.Go(d.keepCoins)
	d.tasks.Go(d.publish)
	alarm := alarm{timer: d.deps.Timer}
	defer alarm.disarm()
	for {
		alarm.arm(d.advance(), d.deps.Now())
		select {
		case <-ctx.Done():
			return nil
		case step := <-d.answers:
			step()
		case in := <-d.inbox:
			d.judge(in)
		case <-alarm.fired:
			alarm.disarm()
		case <-d.wake:
		}
	}
}

// advance executes the rounds that are due, and tells when the next one is; zero
// if nothing is to come.
func (d *Driver) advance() (next time.Time) {
	for _, v := range d.versions {
		d.do(v, v.core.Tick(d.deps.Now()))
		if at, ok := v.core.NextTick(); ok && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// alarm is a timer for a moment, armed anew only when the moment changes.
type alarm struct {
	timer clock.Timer
	at    time.Time // zero while not armed
	fired <-chan time.Time
	stop  func()
}

// recheck bounds how long a timer is trusted without a look at the clock, which
// may be set while it runs.
const recheck = time.Second

func (a *alarm) arm(at, now time.Time) {
	if at.Equal(a.at) {
		return
	}
	a.disarm()
	if at.IsZero() {
		return
	}
	a.at = at
	a.fired, a.stop = a.timer(min(max(at.Sub(now), 0), recheck))
}

func (a *alarm) disarm() {
	if a.stop != nil {
		a.stop()
	}
	a.at, a.fired, a.stop = time.Time{}, nil, nil
}

// Wake makes the driver look at the clock.
func (d *Driver) Wake() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// OnLayer begins a layer: proposals of old ones are dropped, and the version that
// decides it gets a session, unless the layer had begun before the driver was
// made, or the node is not synced, or the epoch has no beacon. Layers are told
// one after the other, also missed ones. It waits for the driver until ctx ends.
func (d *Driver) OnLayer(ctx context.Context, layer wire.LayerID, synced bool) error {
	d.deps.Proposals.OnLayer(layer)
	return d.post(ctx, func() { d.startLayer(layer, synced) })
}

func (d *Driver) startLayer(layer wire.LayerID, synced bool) {
	d.deps.Oracle.SetSynced(synced)
	if layer < d.first {
		return
	}
	in := protocol.LayerStart{Layer: layer, Start: d.layers.Start(layer), Synced: synced, Identities: d.deps.Keys.Identities()}
	if beacon, ok := d.deps.Node.BeaconOf(d.epoch(layer)); ok {
		in.Beacon = &beacon
	}
	for _, v := range d.versions {
		for old := range v.ahead {
			if old < layer && !slices.Contains(v.core.Layers(), old) {
				v.forget(old)
			}
		}
		if v.core.Params().Runs(layer) {
			d.deps.Log.Debug("hare layer", "layer", layer, "synced", synced, "beacon", in.Beacon, "identities", len(in.Identities))
			d.warm(v, layer)
		}
		d.do(v, v.core.StartLayer(in))
	}
}

// warm has the oracle read the active set outside of the driver's goroutine: that
// takes seconds in a large network. In the first layer of all it is not complete
// yet.
func (d *Driver) warm(v *version, layer wire.LayerID) {
	if params := v.core.Params(); layer > params.EffectiveGenesis+1 {
		d.spawn(func(context.Context) {
			_, err := d.deps.Oracle.Count(eligibility.Seat{Layer: layer, Committee: int(params.CommitteeFor(layer))})
			if err != nil && !errors.Is(err, eligibility.ErrNotActive) {
				d.deps.Log.Debug("the active set is not known", "layer", layer, "err", err)
			}
		})
	}
}

// InCharge tells whether hare decides the layer, so that nobody else is to
// process it.
func (d *Driver) InCharge(layer wire.LayerID) bool { return d.deps.Charges.Hold(layer) }

// ErrStopped is what waits when the driver ends.
var ErrStopped = errors.New("hare is stopping")

// post has the driver's goroutine do something.
func (d *Driver) post(ctx context.Context, step func()) error {
	select {
	case d.answers <- step:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-d.ended:
		return ErrStopped
	}
}
