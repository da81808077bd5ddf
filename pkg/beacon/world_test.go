package beacon

import (
	"bytes"
	"crypto/sha256"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/layerclock"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
)

// chain is what the nodes of a test world read.
type chain struct {
	atxs   map[wire.EpochID][]ATX
	nonces map[wire.NodeID]uint64
	stored map[wire.EpochID]wire.Beacon
	err    error
}

func (c *chain) ATXs(e wire.EpochID) ([]ATX, error) { return c.atxs[e], c.err }

func (c *chain) Nonce(id wire.NodeID, _ wire.EpochID) (uint64, bool, error) {
	n, ok := c.nonces[id]
	return n, ok, c.err
}

func (c *chain) Beacon(e wire.EpochID) (wire.Beacon, bool, error) {
	b, ok := c.stored[e]
	return b, ok, c.err
}

// signer makes the signatures that a node asks for.
type signer interface {
	answer(t testing.TB, r Request) [][]byte
	Verifier
}

// realKeys signs with the protocol's algorithms.
type realKeys struct {
	Keys
	prefix []byte
	seeds  map[wire.NodeID][32]byte
}

func (k realKeys) answer(t testing.TB, r Request) (out [][]byte) {
	t.Helper()
	seed, ok := k.seeds[r.Node]
	require.True(t, ok)
	for _, m := range r.Messages {
		switch r.Kind {
		case SignFirstVote:
			var body wire.FirstVotingMessageBody
			require.NoError(t, codec.Decode(m, &body))
			sig, err := signing.NewKey(seed).Sign(k.prefix, signing.SignBeaconFirst{Body: body})
			require.NoError(t, err)
			out = append(out, sig[:])
		case SignVote:
			var body wire.FollowingVotingMessageBody
			require.NoError(t, codec.Decode(m, &body))
			sig, err := signing.NewKey(seed).Sign(k.prefix, signing.SignBeaconFollowup{Body: body})
			require.NoError(t, err)
			out = append(out, sig[:])
		default:
			proof := vrf.Prove(seed, m)
			out = append(out, proof[:])
		}
	}
	return out
}

// fakeKeys stretch a hash to a signature: fast, and just as deterministic.
type fakeKeys struct{}

func stretch(n int, parts ...[]byte) (out []byte) {
	for len(out) < n {
		h := sha256.Sum256(append(bytes.Join(parts, nil), byte(len(out))))
		out = append(out, h[:]...)
	}
	return out[:n]
}

func (fakeKeys) answer(_ testing.TB, r Request) (out [][]byte) {
	for _, m := range r.Messages {
		out = append(out, stretch(r.Kind.size(), []byte{byte(r.Kind.size())}, r.Node[:], m))
	}
	return out
}

func (fakeKeys) VerifyVRF(id wire.NodeID, m []byte, proof wire.VrfSignature) bool {
	return bytes.Equal(proof[:], stretch(80, []byte{80}, id[:], m))
}

func (fakeKeys) VerifyFirstVote(id wire.NodeID, m []byte, sig wire.EdSignature) bool {
	return bytes.Equal(sig[:], stretch(64, []byte{64}, id[:], m))
}

func (k fakeKeys) VerifyVote(id wire.NodeID, m []byte, sig wire.EdSignature) bool {
	return k.VerifyFirstVote(id, m, sig)
}

// node is one process of the world.
type node struct {
	*Protocol
	wake    time.Time
	records []Record
	inbox   []letter
}

type letter struct {
	from int
	Message
}

// world runs nodes on a virtual clock. Everything published at an instant is
// delivered at that instant, after all nodes have reached it.
type world struct {
	t       testing.TB
	chain   *chain
	keys    signer
	nodes   []*node
	sent    []letter
	deliver func(m letter, to int) bool
}

func testParams(rounds uint32, grace time.Duration) Params {
	return Params{
		Rounds: rounds, Kappa: 40, Q: big.NewRat(1, 3), Theta: big.NewRat(1, 4), Grace: grace,
		ProposalDuration: 2 * time.Second, FirstVotingRound: 10 * time.Second,
		VotingRound: 2 * time.Second, WeakCoinRound: 2 * time.Second, VotesLimit: 100, WeightUnits: 10,
		Clock:          layerclock.Clock{Genesis: time.Unix(1_700_000_000, 0), LayerDuration: 20 * time.Second},
		LayersPerEpoch: 3, EffectiveGenesis: 5,
	}
}

func (w *world) add(now time.Time, params Params, locals ...wire.NodeID) *node {
	protocol, effects := New(now, params, w.chain, w.keys)
	n := &node{Protocol: protocol, wake: effects.WakeAt}
	protocol.SetSync(true, true)
	for _, id := range locals {
		protocol.Join(id)
	}
	w.nodes = append(w.nodes, n)
	return n
}

// run ticks everything that is due until the instant has passed.
func (w *world) run(until time.Time) {
	for {
		next := slices.MinFunc(w.nodes, func(a, b *node) int { return a.wake.Compare(b.wake) }).wake
		if next.After(until) {
			return
		}
		var pending []func()
		for i, n := range w.nodes {
			if n.wake.Equal(next) {
				effects, err := n.Tick(next)
				require.NoError(w.t, err)
				require.True(w.t, effects.WakeAt.After(next), "a tick must get ahead")
				pending = append(pending, func() { w.honour(next, i, effects) })
			}
		}
		for _, do := range pending {
			do()
		}
		w.post(next)
	}
}

// honour does what effects ask for.
func (w *world) honour(now time.Time, i int, e Effects) {
	n := w.nodes[i]
	n.wake = e.WakeAt
	n.records = append(n.records, e.Persist...)
	require.Equal(w.t, e.Persist, e.Events)
	for _, m := range e.Publish {
		sent := letter{i, m}
		w.sent = append(w.sent, sent)
		for to := range w.nodes {
			if to != i && (w.deliver == nil || w.deliver(sent, to)) {
				w.nodes[to].inbox = append(w.nodes[to].inbox, sent)
			}
		}
	}
	for _, r := range e.Sign {
		answered, err := n.Answer(now, r, w.keys.answer(w.t, r))
		require.NoError(w.t, err)
		w.honour(now, i, answered)
		w.post(now)
	}
}

// post delivers what lies in the inboxes.
func (w *world) post(now time.Time) {
	for i, n := range w.nodes {
		for _, m := range n.inbox {
			out, effects := n.Handle(now, m.Topic, m.Bytes)
			require.NotEqual(w.t, Reject, out.Verdict, "%s: %v", m.Topic, out.Err)
			require.NotEqual(w.t, Unknown, out.Verdict, "%s: %v", m.Topic, out.Err)
			n.wake = effects.WakeAt
			require.Empty(w.t, effects.Publish)
			_ = i
		}
		n.inbox = nil
	}
}
