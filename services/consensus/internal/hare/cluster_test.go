package hare_test

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/atx/atxcache"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/eligibility"
	protocol "github.com/smeshery/smeshery/pkg/hare"
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
	time.Sleep(time.Until(to))
	synctest.Wait()
}

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

// Identities is hare.Keys.
func (n *node) Identities() (out []wire.NodeID) {
	for _, id := range n.own {
		out = append(out, id.node)
	}
	return out
}

func (n *node) key(id wire.NodeID) identity {
	for _, own := range n.own {
		if own.node == id {
			return own
		}
	}
	n.c.t.Error("a stranger's key was asked for")
	return identity{}
}

// Prove is hare.Keys.
func (n *node) Prove(_ context.Context, items []bus.VRFItem) []bus.VRFResult {
	time.Sleep(latency)
	out := make([]bus.VRFResult, len(items))
	if n.noSigner {
		return out
	}
	for i, item := range items {
		out[i] = bus.VRFResult{Outcome: bus.Signed, Proof: vrf.Prove(n.key(item.NodeID).seed, item.Message)}
	}
	return out
}

// Sign is hare.Keys, with the guard's rule: one message for a layer and round.
func (n *node) Sign(_ context.Context, items []bus.SignItem) []bus.SignResult {
	time.Sleep(latency)
	prefix := n.verifier.Prefix()
	out := make([]bus.SignResult, len(items))
	for i, item := range items {
		var meta wire.HareMetadata
		if codec.Decode(item.Body, &meta) != nil || item.Domain != uint8(signing.Hare) {
			n.c.t.Errorf("not hare's: %x", item.Body)
			continue
		}
		if !n.guard.allows(slot{item.NodeID, meta.Layer, meta.Round}, item.Body) {
			out[i] = bus.SignResult{Outcome: bus.SignRefused, Reason: "conflict"}
			continue
		}
		out[i] = bus.SignResult{Outcome: bus.Signed, Signature: sign(n.key(item.NodeID), prefix, item.Body)}
	}
	return out
}

func sign(id identity, prefix, body []byte) wire.EdSignature {
	message := append(append(append([]byte{}, prefix...), byte(signing.Hare)), body...)
	return wire.EdSignature(ed25519.Sign(ed25519.NewKeyFromSeed(id.seed[:]), message))
}

// Store is hare.Publisher: to all other nodes, after a while.
func (n *node) Store(_ context.Context, batch []bus.Stored) []error {
	n.mu.Lock()
	for _, m := range batch {
		topic := bus.GossipTopic(strings.TrimPrefix(m.Subject, "gossip.out."))
		n.published = append(n.published, published{topic, m.ID, m.Body, time.Now()})
	}
	mute, fresh := n.mute, n.published[len(n.published)-len(batch):]
	n.mu.Unlock()
	for _, other := range n.c.nodes {
		if other == n || mute {
			continue
		}
		time.AfterFunc(latency, func() {
			for _, m := range fresh {
				if driver := other.live.Load(); driver != nil {
					_, _ = driver.Handle(context.Background(), m.topic, bus.PeerMessage{Peer: "peer", Body: m.body})
				}
			}
		})
	}
	return make([]error, len(batch))
}

// Put is hare.Results.
func (n *node) Put(layer wire.LayerID, proposals []wire.ProposalID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, twice := n.results[layer]; twice {
		n.c.t.Errorf("two results in layer %d", layer)
	}
	n.results[layer] = proposals
}

// BeaconOf is hare.Node.
func (n *node) BeaconOf(wire.EpochID) (wire.Beacon, bool) { return beacon, !n.noBeacon }

// VerifyHare is hare.Node.
func (n *node) VerifyHare(id wire.NodeID, body []byte, sig wire.EdSignature) bool {
	return n.verifier.Verify(signing.Hare, id, body, sig)
}

// IsMalicious is hare.Node.
func (n *node) IsMalicious(id wire.NodeID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, a := range n.accused {
		if a == id {
			return true
		}
	}
	return false
}

// ATX is hare.Node.
func (n *node) ATX(_ wire.EpochID, atx wire.ATXID) (atxcache.Entry, bool) {
	for _, id := range n.c.ids {
		if id.atx == atx {
			return atxcache.Entry{ID: atx, NodeID: id.node, Weight: 1000, Height: 10}, true
		}
	}
	return atxcache.Entry{}, false
}

// Heights is hare.Node.
func (n *node) Heights(_ wire.EpochID, ids []wire.NodeID) (out []uint64) {
	for range ids {
		out = append(out, 10)
	}
	return out
}

// Tell is hare.Node.
func (n *node) Tell(_ context.Context, news bus.LayerNews) (bus.Judgement, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.coins[news.Layer] = *news.Coin
	return bus.Judgement{Verdict: bus.Accept}, nil
}

// Accuse is hare.Node.
func (n *node) Accuse(_ context.Context, proof *wire.MalfeasanceProof) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.accused = append(n.accused, proof.Data.MaliciousID())
}

// said are the rounds of the messages that the node published in a layer.
func (n *node) said(layer wire.LayerID) (out []wire.IterRound) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.published {
		m, err := wire.DecodeHare(p.body, p.topic == bus.TopicHare4)
		require.NoError(n.c.t, err)
		if m.Body.Layer == layer {
			out = append(out, m.Body.IterRound)
		}
	}
	return out
}

func (n *node) result(layer wire.LayerID) ([]wire.ProposalID, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	r, ok := n.results[layer]
	return r, ok
}

var _ protocol.Oracle = (*lockedOracle)(nil)
