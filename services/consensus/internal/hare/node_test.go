package hare_test

import (
	"context"
	"crypto/ed25519"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/atx/atxcache"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	protocol "github.com/smeshery/smeshery/pkg/hare"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
)

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
	pass(latency + n.slowProofs)
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
	pass(latency + n.slowSigner)
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
