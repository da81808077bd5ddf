package consensus_test

import (
	"context"
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/actor"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/proposal"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
)

// stranger is an identity of another node, which proposes what ours does.
func stranger(n *liveNet, ours *wire.Proposal) (*wire.Proposal, wire.EpochActiveSet) {
	var seed [32]byte
	seed[31] = 77
	id := wire.NodeID(ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey))
	epoch := n.params.Epoch(ours.Layer)
	own := wire.ATXID(wire.Sum(id[:]))
	set := wire.EpochActiveSet{Epoch: epoch, Set: []wire.ATXID{own}}
	slots, err := proposal.Slots(100, 0, 100, n.params.LayerAverageSize, n.params.LayersPerEpoch)
	require.NoError(n.t, err)
	draft := proposal.Draft{
		Layer: ours.Layer, Atx: own, Smesher: id, Opinion: wire.Opinion{Votes: ours.Votes, Hash: ours.OpinionHash},
		Epoch: &wire.EpochData{ActiveSetHash: set.Hash(), Beacon: ours.EpochData.Beacon, EligibilityCount: slots},
	}
	for j := range slots {
		proof := vrf.Prove(seed, proposal.SlotMessage(draft.Epoch.Beacon, epoch, 3, j))
		if proposal.EligibleLayer(&proof, epoch, n.params.LayersPerEpoch) == ours.Layer {
			draft.Slots = append(draft.Slots, wire.VotingEligibility{J: j, Sig: proof})
		}
	}
	sign := func(domain signing.Domain, body []byte) wire.EdSignature {
		genesis := n.params.Genesis.ID()
		message := append(append(genesis[:], byte(domain)), body...)
		return wire.EdSignature(ed25519.Sign(ed25519.NewKeyFromSeed(seed[:]), message))
	}
	b := proposal.NewBuild(draft)
	body := b.SignBallot(sign(signing.Ballot, b.BallotBytes()))
	return b.Sign(sign(signing.Proposal, body)), set
}

// TestAForeignProposal refers to an ATX and an active set that are not here: they
// are fetched, and the proposal is taken; nothing is taken while peers have neither.
func TestAForeignProposal(t *testing.T) {
	n := newLiveNet(t, liveParams(), 1)
	n.activate(2)
	p := n.run("a")
	n.awaitLeader(p)
	layer := n.genesis + 1
	n.move(n.start(layer), p)
	n.await("proposal", func() bool { return n.count(bus.TopicProposal) == 1 })
	ours := new(wire.Proposal)
	n.mu.Lock()
	require.NoError(t, codec.Decode(n.bodies[bus.TopicProposal][0], ours))
	n.mu.Unlock()
	foreign, set := stranger(n, ours)
	body := codec.MustEncode(foreign)
	judge := func(body []byte) bus.Judgement {
		j, err := bus.GossipIn(bus.TopicProposal).Call(t.Context(), n.gossip, bus.PeerMessage{Peer: "12D3", Body: body})
		require.NoError(t, err)
		return j
	}
	require.Equal(t, bus.Reject, judge(body[1:]).Verdict)
	require.Equal(t, bus.Ignore, judge(body).Verdict, "nobody serves fetches")

	q := bus.Queue{Length: 16, Full: actor.Refuse}
	fetched := make(chan string, 16)
	_, err := bus.Serve(n.ctx, n.gossip, bus.Fetch(bus.KindATX), q, func(_ context.Context, r bus.FetchRequest) (bus.FetchReply, error) {
		fetched <- "atx from " + r.Peers[0]
		n.addATX(activation.ATX{
			ID: foreign.AtxID, PublishEpoch: 1, Node: foreign.SmesherID, Weight: 100, Ticks: 10, VRFNonce: 3, Received: time.Now().UnixNano(),
		})
		return bus.FetchReply{Outcomes: []bus.FetchOutcome{bus.FetchStored}}, nil
	})
	require.NoError(t, err)
	_, err = bus.Serve(n.ctx, n.gossip, bus.Fetch(bus.KindActiveSet), q, func(ctx context.Context, r bus.FetchRequest) (bus.FetchReply, error) {
		fetched <- "active set from " + r.Peers[0]
		j, err := bus.SyncIn(bus.KindActiveSet).Call(ctx, n.gossip, bus.FetchedObject{Hash: r.Hashes[0], Body: codec.MustEncode(&set)})
		require.Equal(t, bus.Accept, j.Verdict)
		return bus.FetchReply{Outcomes: []bus.FetchOutcome{bus.FetchStored}}, err
	})
	require.NoError(t, err)
	j := judge(body)
	require.Equal(t, bus.Accept, j.Verdict, "%s %s", j.Reason, j.Detail)
	require.Equal(t, "active set from 12D3", <-fetched)
	require.Equal(t, "atx from 12D3", <-fetched)
	id := foreign.Ballot.ID()
	require.True(t, n.query("SELECT FROM consensus.ballots WHERE id = $1", id[:]))
	again := judge(body)
	require.Equal(t, bus.Ignore, again.Verdict)
	require.Equal(t, string(proposal.RuleKnown), again.Reason)
	n.end(p)
}
