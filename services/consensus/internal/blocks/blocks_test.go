package blocks_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// transaction stores one with or without a header.
func (w *world) transaction(n byte, header bool) wire.TransactionID {
	w.t.Helper()
	id := wire.TransactionID{n}
	var h []byte
	if header {
		h = codec.MustEncode(&wire.TxHeader{Principal: wire.Address{n}, MaxGas: 1, GasPrice: 1})
	}
	w.exec("INSERT INTO state.transactions VALUES ($1, $2, 0, $3)", id[:], []byte{n}, h)
	return id
}

func (w *world) events(kind string) int {
	return one[int](w, "SELECT count(*) FROM consensus.outbox WHERE subject = $1", "events.consensus."+kind)
}

// approved is how often users heard that hare decided a layer.
func (w *world) approved() int {
	return one[int](w, "SELECT count(*) FROM consensus.outbox WHERE subject = 'events.consensus.layer_update' AND convert_from(body, 'UTF8') LIKE '%\"status\":1%'")
}

// An empty layer is not applied before votes verify it.
func TestAnEmptyOutput(t *testing.T) {
	w := newWorld(t)
	layer := w.genesis + 1
	w.empty(layer)
	require.Empty(t, w.executed)
	id, c := w.certified(layer)
	require.Zero(t, id)
	require.NotEmpty(t, c.Signatures)
	require.Equal(t, layer, w.engine.Status().Processed)
	require.Equal(t, 1, w.approved())
}

func TestABlockThatIsExecutedFirst(t *testing.T) {
	w := newWorld(t)
	layer := w.genesis + 1
	a, b := w.transaction(1, true), w.transaction(2, true)
	ids := w.add(w.propose(layer, w.hash(layer-1), a, b))
	w.put(layer, ids)
	w.settled(layer)

	require.Len(t, w.optimistic, 1)
	require.ElementsMatch(t, []wire.TransactionID{a, b}, w.optimistic[0].TxIDs)
	require.Len(t, w.optimistic[0].Rewards, 2)
	require.EqualValues(t, 5, w.optimistic[0].TickHeight)
	made := &wire.Block{InnerBlock: w.optimistic[0]}
	made.TxIDs = made.TxIDs[1:]
	require.Equal(t, made.ID(), w.applied(layer))
	require.Empty(t, w.executed, "nothing is executed again")
	require.Empty(t, w.reverted)
	id, _ := w.certified(layer)
	require.Equal(t, made.ID(), id)
	require.Equal(t, layer, w.engine.Status().InState)
	require.NotZero(t, w.hash(layer))
	require.Equal(t, 2, w.events("proposal"), "both proposals are this node's")
	require.Equal(t, 1, w.approved())
}

func TestABlockWithoutAMeshHash(t *testing.T) {
	w := newWorld(t)
	layer := w.genesis + 1
	tx := w.transaction(1, true)
	ids := w.add(w.propose(layer, wire.Hash32{}, tx))
	w.put(layer, ids)
	w.settled(layer)
	require.Empty(t, w.optimistic)
	require.Len(t, w.executed, 1)
	id, _ := w.certified(layer)
	require.Equal(t, id, w.applied(layer))
	require.NotZero(t, id)
}

// A layer waits for the one below, and both are then made one after the other.
func TestALayerWaitsForTheOneBelow(t *testing.T) {
	w := newWorld(t)
	below, layer := w.genesis+1, w.genesis+2
	w.at(layer)
	hash := wire.HashATXList(nil)
	// The opinion on the layer below is known only when its block is; the plan
	// must be made before, so that it has to wait.
	w.put(below, w.add(w.propose(below, hash)))
	w.settled(below)
	require.Len(t, w.optimistic, 1)

	w.exec("DELETE FROM state.layers WHERE layer = $1", int64(below)) // as if it took longer
	w.put(layer, w.add(w.propose(layer, w.hash(below))))
	w.worker.Poke()
	w.put(layer+1, nil) // refused: it has not begun; the worker has been past the one before
	w.settled(layer + 1)
	require.True(t, w.charges.Hold(layer))
	w.exec("INSERT INTO state.layers VALUES ($1, $2, NULL)", int64(below), make([]byte, 20))
	w.worker.Poke()
	w.settled(layer)
	require.Len(t, w.optimistic, 2)
}

func TestOutputsWithoutABlockAreReleased(t *testing.T) {
	w := newWorld(t)
	layer := w.genesis + 1
	hash := w.hash(layer - 1)
	for name, proposals := range map[string][]wire.ProposalID{
		"unknown proposals":       {{1}},
		"another history":         w.add(w.propose(layer, wire.Hash32{1})),
		"a transaction not here":  w.add(w.propose(layer, hash, wire.TransactionID{9})),
		"a transaction unchecked": w.add(w.propose(layer, hash, w.transaction(3, false))),
	} {
		t.Run(name, func(t *testing.T) {
			w.put(layer, proposals)
			w.settled(layer)
			require.Zero(t, one[int](w, "SELECT count(*) FROM consensus.certificates WHERE layer = $1", int64(layer)))
			require.Zero(t, one[int](w, "SELECT count(*) FROM state.blocks"))
		})
	}
	w.mu.Lock()
	w.refuse = true
	w.mu.Unlock()
	w.put(layer, w.add(w.propose(layer, hash)))
	w.settled(layer)
	require.Zero(t, one[int](w, "SELECT count(*) FROM consensus.certificates WHERE layer = $1", int64(layer)))
}

func TestMissingProposalsAreFetched(t *testing.T) {
	w := newWorld(t)
	layer := w.genesis + 1
	proposals := w.propose(layer, w.hash(layer-1))
	w.add(proposals[:1])
	w.mu.Lock()
	w.peers = proposals
	w.mu.Unlock()
	w.put(layer, idsOf(proposals))
	w.settled(layer)
	require.NotZero(t, w.applied(layer))
}

func TestCertifyMessagesOfPeers(t *testing.T) {
	w := newWorld(t)
	w.empty(w.genesis + 1)
	_, c := w.certified(w.genesis + 1)
	raw := codec.MustEncode(&c.Signatures[0])
	ask := func(peer string, body []byte) bus.Verdict {
		j, err := w.worker.Handle(t.Context(), bus.PeerMessage{Peer: peer, Body: body})
		require.NoError(t, err)
		return j.Verdict
	}
	require.Equal(t, bus.Accept, ask("x", raw), "it is done, and passed on unseen")
	require.Equal(t, bus.Reject, ask("x", raw[1:]))
	require.Equal(t, bus.Accept, ask(bus.SelfPeer, nil))
	other := c.Signatures[0]
	other.BlockID = wire.BlockID{1}
	require.Equal(t, bus.Reject, ask("x", codec.MustEncode(&other)), "nobody signed that")
	other.LayerID += 1000
	require.Equal(t, bus.Ignore, ask("x", codec.MustEncode(&other)))
	w.listening.Store(false)
	require.Equal(t, bus.Ignore, ask("x", raw[1:]))
}

// What this node certified goes out once, also when hare's output is given again.
func TestCertifyMessagesGoOut(t *testing.T) {
	w := newWorld(t)
	w.empty(w.genesis + 1)
	_, c := w.certified(w.genesis + 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := make(chan []byte, 16)
	go func() {
		_ = bus.Consume(ctx, w.gossip, bus.GossipOut(bus.TopicCertify), bus.Consumption{Durable: "test"},
			func(_ context.Context, d bus.Delivery[[]byte]) error {
				out <- d.Message
				return nil
			})
	}()
	for range w.smeshers {
		var m wire.CertifyMessage
		require.NoError(t, codec.Decode(<-out, &m))
		require.Equal(t, w.genesis+1, m.LayerID)
		require.NotNil(t, w.smesher(m.SmesherID))
	}
	require.NotEmpty(t, c.Signatures)
}

// A process that dies after the state executed a layer ahead of its block takes the
// block for hare's output when it returns.
func TestACrashAfterExecution(t *testing.T) {
	w := newWorld(t)
	layer := w.genesis + 1
	proposals := w.propose(layer, w.hash(layer-1))
	w.stop()
	w.exec("INSERT INTO consensus.executing VALUES ($1)", int64(layer))
	b := &wire.Block{InnerBlock: wire.InnerBlock{LayerIndex: layer, TickHeight: 5, Rewards: []wire.AnyReward{{AtxID: proposals[0].Proposal.AtxID, Weight: wire.RatNum{Num: 1, Denom: 1}}}}}
	id := b.ID()
	require.NoError(t, w.storeBlock(t.Context(), b))
	w.exec("INSERT INTO state.layers VALUES ($1, $2, NULL)", int64(layer), id[:])
	w.start()
	_, err := w.engine.Process(t.Context(), layer)
	require.NoError(t, err)
	require.Empty(t, w.reverted)
	require.Equal(t, id, w.applied(layer))
	require.Zero(t, one[int](w, "SELECT count(*) FROM consensus.executing"))
	require.Equal(t, id[:], one[[]byte](w, "SELECT block FROM consensus.certificates WHERE layer = $1 AND valid", int64(layer)))

	w.at(layer + 1)
	proposals = w.propose(layer+1, w.hash(layer))
	w.put(layer+1, w.add(proposals))
	w.settled(layer + 1)
	require.NotZero(t, w.applied(layer+1))
	require.Zero(t, one[int](w, "SELECT count(*) FROM consensus.executing"))
}

// What the state executed is adopted also when that did not succeed at once.
func TestAnExecutedLayerIsAdoptedLater(t *testing.T) {
	w := newWorld(t)
	layer := w.genesis + 1
	w.exec("ALTER TABLE consensus.certificates RENAME TO gone")
	w.put(layer, w.add(w.propose(layer, w.hash(layer-1))))
	require.Eventually(t, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.optimistic) > 0
	}, 30*time.Second, time.Millisecond)
	require.True(t, w.charges.Hold(layer))
	w.exec("ALTER TABLE consensus.gone RENAME TO certificates")
	w.worker.Poke()
	w.settled(layer)
	require.Empty(t, w.reverted)
	id, _ := w.certified(layer)
	require.Equal(t, id, w.applied(layer))
}

// What an earlier process decided and did not certify is certified by the next.
func TestARestartCertifies(t *testing.T) {
	w := newWorld(t)
	layer := w.genesis + 1
	w.put(layer, w.add(w.propose(layer, w.hash(layer-1))))
	want, _ := w.certified(layer)
	w.stop()
	w.exec("UPDATE consensus.certificates SET blob = NULL")
	w.start()
	got, _ := w.certified(layer)
	require.Equal(t, want, got)
}
