package hare_test

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/eligibility"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/hare"
)

// latency is how long a message or a request takes.
const latency = 10 * time.Millisecond

var beacon = wire.Beacon{1, 2, 3, 4}

// cluster is a network of nodes that know the same activations, in one bubble of
// virtual time.
type cluster struct {
	t       testing.TB
	params  network.Params
	genesis wire.LayerID
	ids     []identity
	nodes   []*node
}

type identity struct {
	seed [32]byte
	node wire.NodeID
	atx  wire.ATXID
}

// node is a driver with the part of consensus that it needs.
type node struct {
	c         *cluster
	driver    *hare.Driver
	proposals *hare.Proposals
	charges   *hare.Charges
	own       []identity
	stop      context.CancelFunc
	ended     chan struct{}
	live      atomic.Pointer[hare.Driver] // nil while stopped
	exchange  hare.Exchange
	oracle    *lockedOracle
	verifier  signing.Verifier

	guard *guard
	// slowProofs and slowSigner are how much longer activation takes.
	slowProofs, slowSigner time.Duration

	mu        sync.Mutex
	published []published
	coins     map[wire.LayerID]bool
	results   map[wire.LayerID][]wire.ProposalID
	accused   []wire.NodeID
	mute      bool // publishes to nobody
	noBeacon  bool
	noSigner  bool
}

// guard lets one message for an identity, layer and round be signed.
type guard struct {
	mu      sync.Mutex
	slots   map[slot]string
	refused int
}

// allows tells whether the body may be signed.
func (g *guard) allows(at slot, body []byte) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if held, taken := g.slots[at]; taken && held != string(body) {
		g.refused++
		return false
	}
	g.slots[at] = string(body)
	return true
}

type slot struct {
	id    wire.NodeID
	layer wire.LayerID
	round uint32
}

type published struct {
	topic bus.GossipTopic
	id    string
	body  []byte
	at    time.Time
}

// lockedOracle is an oracle over the cluster's activations.
type lockedOracle struct {
	mu     sync.Mutex
	oracle *eligibility.Oracle
	synced bool
	empty  bool // no active set is known
}

func (o *lockedOracle) Count(s eligibility.Seat) (uint16, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.empty {
		return 0, eligibility.ErrEmptyActiveSet
	}
	return o.oracle.Count(s)
}

func (o *lockedOracle) Validate(s eligibility.Seat, claimed uint16) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.empty {
		return false, eligibility.ErrEmptyActiveSet
	}
	return o.oracle.Validate(s, claimed)
}

func (o *lockedOracle) forget(empty bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.empty = empty
}

func (o *lockedOracle) SetSynced(synced bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.synced = synced
}

// inBubble runs a test in virtual time, with layer 0 beginning now.
func inBubble(t *testing.T, params network.Params, nodes, perNode int, f func(t *testing.T, c *cluster)) {
	synctest.Test(t, func(t *testing.T) {
		params.Genesis.Time = time.Now().Truncate(time.Second)
		c := newCluster(t, params, nodes, perNode)
		defer func() {
			for _, n := range c.nodes {
				n.kill()
			}
		}()
		f(t, c)
	})
}

func newCluster(t testing.TB, params network.Params, nodes, perNode int) *cluster {
	c := &cluster{t: t, params: params, genesis: params.FirstEffectiveGenesis()}
	for i := range nodes * perNode {
		id := identity{}
		binary.BigEndian.PutUint32(id.seed[:], uint32(i+1))
		id.node = wire.NodeID(ed25519.NewKeyFromSeed(id.seed[:]).Public().(ed25519.PublicKey))
		binary.BigEndian.PutUint32(id.atx[:], uint32(i+1))
		c.ids = append(c.ids, id)
	}
	for i := range nodes {
		n := &node{
			c: c, own: c.ids[i*perNode : (i+1)*perNode], oracle: c.oracle(), verifier: c.verifier(),
			guard: &guard{slots: make(map[slot]string)}, coins: make(map[wire.LayerID]bool), results: make(map[wire.LayerID][]wire.ProposalID),
		}
		c.nodes = append(c.nodes, n)
	}
	return c
}

func (c *cluster) verifier() signing.Verifier {
	id := c.params.Genesis.ID()
	return signing.NewVerifier(id[:])
}

func (c *cluster) oracle() *lockedOracle {
	epoch := c.params.Epoch(c.genesis + 1)
	records := &eligibility.Records{
		LayersPerEpoch: c.params.LayersPerEpoch,
		Fallbacks:      map[wire.EpochID][]wire.ATXID{},
		Beacons:        map[wire.EpochID]wire.Beacon{epoch: beacon},
		ATXs:           map[wire.ATXID]eligibility.IndexedATX{},
	}
	for _, id := range c.ids {
		records.Fallbacks[epoch] = append(records.Fallbacks[epoch], id.atx)
		records.ATXs[id.atx] = eligibility.IndexedATX{Node: id.node, Weight: 1000}
	}
	return &lockedOracle{oracle: eligibility.NewOracle(eligibility.Params{
		LayersPerEpoch: c.params.LayersPerEpoch, Confidence: c.params.EligibilityConfidence, EffectiveGenesis: c.genesis,
	}, records, vrf.Verify)}
}

func accepted(p *wire.Proposal) hare.Accepted {
	return hare.Accepted{Proposal: p, Beacon: beacon, Slots: 1}
}

// idle makes a driver that does not run.
func (n *node) idle() *hare.Driver {
	n.c.t.Helper()
	now := time.Now()
	n.proposals = hare.NewProposals(n.c.params.Tortoise.Zdist, n.c.layerAt(now))
	n.charges = new(hare.Charges)
	driver, err := hare.New(n.c.params, hare.Deps{
		Node: n, Oracle: n.oracle, Keys: n, Publisher: n, Results: n, Proposals: n.proposals, Charges: n.charges,
		Exchange: n.exchange, Log: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	require.NoError(n.c.t, err)
	return driver
}

// start runs the node's driver until kill.
func (n *node) start() {
	n.c.t.Helper()
	n.driver = n.idle()
	ctx, cancel := context.WithCancel(context.Background())
	n.stop, n.ended = cancel, make(chan struct{})
	n.live.Store(n.driver)
	driver := n.driver
	ended := n.ended
	go func() {
		defer close(ended)
		_ = driver.Run(ctx)
	}()
}

func (n *node) kill() {
	if n.live.Swap(nil) != nil {
		n.stop()
		<-n.ended
	}
}

func (c *cluster) layerAt(t time.Time) wire.LayerID {
	return wire.LayerID(t.Sub(c.params.Genesis.Time) / c.params.LayerDuration)
}

// at moves time to an offset into a layer, and lets everything settle.
func (c *cluster) at(layer wire.LayerID, offset time.Duration) {
	to := c.params.Genesis.Time.Add(time.Duration(layer)*c.params.LayerDuration + offset)
	require.False(c.t, to.Before(time.Now()), "time does not go back")
	pass(time.Until(to))
	synctest.Wait()
}

// pass lets the bubble's time go by, which takes none of ours.
func pass(d time.Duration) { time.Sleep(d) }

// begin tells all running nodes of a layer that begins now.
func (c *cluster) begin(layer wire.LayerID) {
	for _, n := range c.nodes {
		if n.live.Load() != nil {
			require.NoError(c.t, n.driver.OnLayer(context.Background(), layer, true))
		}
	}
	synctest.Wait()
}

// propose gives the nodes a proposal of each identity, and answers their ids.
func (c *cluster) propose(layer wire.LayerID, to ...*node) (ids []wire.ProposalID) {
	for i, id := range c.ids {
		p := &wire.Proposal{Ballot: wire.Ballot{
			InnerBallot:       wire.InnerBallot{Layer: layer, AtxID: id.atx},
			SmesherID:         id.node,
			EligibilityProofs: []wire.VotingEligibility{{Sig: wire.VrfSignature{byte(i + 1), byte(layer)}}},
		}}
		ids = append(ids, p.ID())
		for _, n := range to {
			require.NoError(c.t, n.proposals.Add(accepted(p)))
		}
	}
	return ids
}
