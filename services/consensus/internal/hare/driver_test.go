package hare_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	protocol "github.com/smeshery/smeshery/pkg/hare"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/wire"
)

// hare4 is standalone's network with hare4 in place of hare3.
func hare4() network.Params {
	p := network.Standalone()
	p.Hare4.Enable, p.Hare4.EnableLayer, p.Hare4.DisableLayer = true, 0, 0
	p.Hare4.Committee, p.Hare4.Leaders, p.Hare4.IterationsLimit = p.Hare3.Committee, p.Hare3.Leaders, p.Hare3.IterationsLimit
	p.Hare4.PreroundDelay, p.Hare4.RoundDuration = p.Hare3.PreroundDelay, p.Hare3.RoundDuration
	p.Hare3.Enable = false
	return p
}

// run has all nodes through a layer with everybody's proposals.
func (c *cluster) run(layer wire.LayerID) []wire.ProposalID {
	c.at(layer, 0)
	c.begin(layer)
	ids := c.propose(layer, c.nodes...)
	c.at(layer, c.params.LayerDuration-time.Second)
	return ids
}

func TestNodesAgreeOnTheirProposals(t *testing.T) {
	for name, params := range map[string]network.Params{"hare3": network.Standalone(), "hare4": hare4()} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, params, 4, 3, func(t *testing.T, c *cluster) {
				for _, n := range c.nodes {
					n.start()
				}
				for layer := c.genesis + 1; layer < c.genesis+4; layer++ {
					want := c.run(layer)
					slices.SortFunc(want, wire.Compare20[wire.ProposalID])
					coin, tossed := c.nodes[0].coins[layer]
					require.True(t, tossed)
					for _, n := range c.nodes {
						got, ok := n.result(layer)
						require.True(t, ok)
						require.Equal(t, want, got)
						require.Equal(t, coin, n.coins[layer])
						require.True(t, n.driver.InCharge(layer))
						require.Empty(t, n.accused)
						require.Zero(t, n.guard.refused)
					}
				}
			})
		})
	}
}

// Rounds are executed when they are due, and each says one thing.
func TestRoundsKeepTime(t *testing.T) {
	inBubble(t, network.Standalone(), 1, 1, func(t *testing.T, c *cluster) {
		n, layer := c.nodes[0], c.genesis+1
		n.start()
		c.run(layer)
		require.Equal(t, []wire.IterRound{
			{Round: wire.Preround}, {Round: wire.Propose}, {Round: wire.Commit}, {Round: wire.Notify},
			{Iter: 1, Round: wire.Propose}, {Iter: 1, Round: wire.Commit}, {Iter: 1, Round: wire.Notify},
		}, n.said(layer))
		start := c.params.Genesis.Time.Add(time.Duration(layer) * c.params.LayerDuration)
		due := []time.Duration{1000, 1200, 1500, 1600, 1900, 2200, 2300}
		for i, p := range n.published {
			require.Equal(t, due[i]*time.Millisecond+latency, p.at.Sub(start), "message %d", i)
		}
	})
}

// The first ballots of a network, which name the active set, come after its first
// layer began.
func TestAnActiveSetThatIsKnownByThePreround(t *testing.T) {
	inBubble(t, network.Standalone(), 2, 2, func(t *testing.T, c *cluster) {
		for _, n := range c.nodes {
			n.start()
			n.oracle.forget(true)
		}
		layer := c.genesis + 1
		c.at(layer, 0)
		c.begin(layer)
		want := c.propose(layer, c.nodes...)
		c.at(layer, 900*time.Millisecond)
		for _, n := range c.nodes {
			n.oracle.forget(false)
		}
		c.at(layer, c.params.LayerDuration-time.Second)
		for _, n := range c.nodes {
			got, ok := n.result(layer)
			require.True(t, ok)
			require.ElementsMatch(t, want, got)
		}
	})
}

// A process that starts in the middle of a layer says nothing in it: it does not
// know what an earlier one said.
func TestARestartSitsOutTheLayer(t *testing.T) {
	inBubble(t, network.Standalone(), 4, 2, func(t *testing.T, c *cluster) {
		for _, n := range c.nodes {
			n.start()
		}
		layer, n := c.genesis+1, c.nodes[3]
		c.at(layer, 0)
		c.begin(layer)
		c.propose(layer, c.nodes...)
		c.at(layer, 1250*time.Millisecond)
		before := n.said(layer)
		require.NotEmpty(t, before)
		n.kill()
		n.start()
		require.NoError(t, n.driver.OnLayer(t.Context(), layer, true))
		c.at(layer, c.params.LayerDuration-time.Second)
		require.Equal(t, before, n.said(layer))
		_, ok := n.result(layer)
		require.False(t, ok)
		require.False(t, n.driver.InCharge(layer))
		_, ok = c.nodes[0].result(layer)
		require.True(t, ok, "the others go on without it")

		want := c.run(layer + 1)
		got, ok := n.result(layer + 1)
		require.True(t, ok)
		require.ElementsMatch(t, want, got)
		require.Zero(t, n.guard.refused)
	})
}

// Two processes with the same identities, of which the guard lets one speak.
func TestTheGuardKeepsATwinFromEquivocation(t *testing.T) {
	inBubble(t, network.Standalone(), 2, 2, func(t *testing.T, c *cluster) {
		a, b := c.nodes[0], c.nodes[1]
		b.own, b.guard = a.own, a.guard
		a.start()
		b.start()
		layer := c.genesis + 1
		c.at(layer, 0)
		c.begin(layer)
		c.propose(layer, a) // b knows of none, so that it would say something else
		c.at(layer, c.params.LayerDuration-time.Second)
		require.Positive(t, a.guard.refused)
		require.Empty(t, a.accused)
		require.Empty(t, b.accused)
	})
}

func TestNoSessionWithoutSyncOrBeacon(t *testing.T) {
	inBubble(t, network.Standalone(), 3, 1, func(t *testing.T, c *cluster) {
		for _, n := range c.nodes {
			n.start()
		}
		layer := c.genesis + 1
		c.at(layer, 0)
		c.nodes[0].noBeacon = true
		require.NoError(t, c.nodes[0].driver.OnLayer(t.Context(), layer, true))
		require.NoError(t, c.nodes[1].driver.OnLayer(t.Context(), layer, false))
		require.NoError(t, c.nodes[2].driver.OnLayer(t.Context(), c.genesis, true))
		c.at(layer, c.params.LayerDuration-time.Second)
		for _, n := range c.nodes {
			require.Empty(t, n.said(layer))
			require.False(t, n.driver.InCharge(layer))
		}
		require.True(t, c.nodes[0].oracle.synced)
		require.False(t, c.nodes[1].oracle.synced)
	})
}

// Without activation a node listens and agrees, and without enough others no one
// decides: the layer is left to sync.
func TestActivationAway(t *testing.T) {
	inBubble(t, network.Standalone(), 5, 1, func(t *testing.T, c *cluster) {
		for _, n := range c.nodes {
			n.start()
		}
		silent := c.nodes[4]
		silent.noSigner = true
		layer := c.genesis + 1
		want := c.run(layer)
		require.Empty(t, silent.said(layer))
		got, ok := silent.result(layer)
		require.True(t, ok)
		require.ElementsMatch(t, want, got)

		for _, n := range c.nodes[:4] {
			n.mute = true
		}
		c.run(layer + 1)
		for _, n := range c.nodes {
			_, ok := n.result(layer + 1)
			require.False(t, ok)
			require.False(t, n.driver.InCharge(layer+1))
		}
	})
}

// hareMessage is an identity's preround message for the proposals.
func (c *cluster) hareMessage(id identity, from *node, layer wire.LayerID, proposals []wire.ProposalID) []byte {
	from.mu.Lock()
	defer from.mu.Unlock()
	for _, p := range from.published {
		m, err := wire.DecodeHare(p.body, false)
		require.NoError(c.t, err)
		if m.Sender == id.node && m.Body.Layer == layer && m.Body.Round == wire.Preround {
			m.Body.Value.Proposals = proposals
			m.Signature = sign(id, from.verifier.Prefix(), m.SignedBytes())
			return codec.MustEncode(m)
		}
	}
	require.Fail(c.t, "the identity said nothing")
	return nil
}

func TestAnEquivocatorIsAccusedOnce(t *testing.T) {
	inBubble(t, network.Standalone(), 3, 2, func(t *testing.T, c *cluster) {
		for _, n := range c.nodes {
			n.start()
		}
		layer, watcher, liar := c.genesis+1, c.nodes[0], c.nodes[1]
		c.at(layer, 0)
		c.begin(layer)
		c.propose(layer, c.nodes...)
		c.at(layer, 1050*time.Millisecond)
		ask := func(body []byte) bus.Judgement {
			j, err := watcher.driver.Handle(t.Context(), bus.TopicHare3, bus.PeerMessage{Peer: "x", Body: body})
			require.NoError(t, err)
			synctest.Wait()
			return j
		}
		id := liar.own[0]
		require.Equal(t, bus.Accept, ask(c.hareMessage(id, liar, layer, []wire.ProposalID{{1}})).Verdict)
		require.Equal(t, []wire.NodeID{id.node}, watcher.accused)
		require.Equal(t, bus.Judgement{Verdict: bus.Ignore, Reason: string(protocol.GradedGossip)}, short(ask(c.hareMessage(id, liar, layer, []wire.ProposalID{{2}}))))
		require.Len(t, watcher.accused, 1)

		require.Equal(t, bus.Judgement{Verdict: bus.Reject, Reason: string(protocol.Decoding)}, short(ask([]byte{1})))
		bad := c.hareMessage(id, liar, layer, nil)
		bad[len(bad)-1] ^= 1
		require.Equal(t, bus.Judgement{Verdict: bus.Reject, Reason: string(protocol.InvalidSignature)}, short(ask(bad)))
		early := c.hareMessage(id, liar, layer, nil)
		c.nodes[2].kill()
		c.nodes[2].start()
		j, err := c.nodes[2].driver.Handle(t.Context(), bus.TopicHare3, bus.PeerMessage{Peer: "x", Body: early})
		require.NoError(t, err)
		require.Equal(t, bus.Judgement{Verdict: bus.Ignore, Reason: string(protocol.NotRegistered)}, short(j))
	})
}

func short(j bus.Judgement) bus.Judgement {
	return bus.Judgement{Verdict: j.Verdict, Reason: j.Reason}
}

// A node that lacks proposals asks the sender for the full list, and waits for the
// answer without holding up others.
func TestHare4AsksForFullLists(t *testing.T) {
	for name, answers := range map[string]bool{"answered": true, "failed": false} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, hare4(), 4, 1, func(t *testing.T, c *cluster) {
				poor, rich := c.nodes[0], c.nodes[1]
				var asked atomic.Int32
				poor.exchange = func(ctx context.Context, peer string, request wire.Hash32) ([]byte, error) {
					asked.Add(1)
					require.Equal(t, "peer", peer)
					if !answers {
						return nil, errors.New("nobody is there")
					}
					for _, n := range c.nodes[1:] {
						answer, ok, err := n.driver.Serve(ctx, codec.MustEncode(&wire.CompactIdRequest{MsgId: request}))
						require.NoError(t, err)
						if ok {
							return answer, nil
						}
					}
					return nil, errors.New("unknown")
				}
				for _, n := range c.nodes {
					n.start()
				}
				layer := c.genesis + 1
				c.at(layer, 0)
				c.begin(layer)
				want := c.propose(layer, c.nodes[1:]...)
				p := &wire.Proposal{Ballot: wire.Ballot{InnerBallot: wire.InnerBallot{Layer: layer}}}
				require.NoError(t, poor.proposals.Add(accepted(p)))
				c.at(layer, c.params.LayerDuration-time.Second)
				require.EqualValues(t, 3, asked.Load())
				got, ok := poor.result(layer)
				require.Equal(t, answers, ok)
				if answers {
					require.ElementsMatch(t, want, got)
				}
				_, ok = rich.result(layer)
				require.True(t, ok)
			})
		})
	}
}

func TestMissedLayersAreMadeUpFor(t *testing.T) {
	inBubble(t, network.Standalone(), 1, 1, func(t *testing.T, c *cluster) {
		n := c.nodes[0]
		n.start()
		c.at(c.genesis+3, 0)
		for layer := c.genesis + 1; layer <= c.genesis+3; layer++ {
			c.begin(layer)
		}
		c.at(c.genesis+3, c.params.LayerDuration-time.Second)
		for layer := c.genesis + 1; layer <= c.genesis+2; layer++ {
			require.Empty(t, n.results[layer], "nothing was proposed")
		}
		require.NotEmpty(t, n.said(c.genesis+3))
	})
}

func TestOwnMessagesAreNotJudgedTwice(t *testing.T) {
	inBubble(t, network.Standalone(), 1, 1, func(t *testing.T, c *cluster) {
		n := c.nodes[0]
		n.start()
		j, err := n.driver.Handle(t.Context(), bus.TopicHare3, bus.PeerMessage{Peer: bus.SelfPeer})
		require.NoError(t, err)
		require.Equal(t, bus.Judgement{Verdict: bus.Accept}, j)
		_, err = n.driver.Handle(t.Context(), bus.TopicATX, bus.PeerMessage{Peer: "x"})
		require.ErrorIs(t, err, bus.BadRequest)
	})
}

// More than the mailbox holds is answered busy at once.
func TestAFullMailboxIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		params := network.Standalone()
		params.Genesis.Time = time.Now()
		c := newCluster(t, params, 1, 1)
		n := c.nodes[0]
		n.start()
		n.kill() // nobody empties the mailbox
		driver := n.idle()
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		var err error
		for range 1 << 13 {
			if _, err = driver.Handle(gone, bus.TopicHare3, bus.PeerMessage{Peer: "x"}); !errors.Is(err, context.Canceled) {
				break
			}
		}
		require.ErrorIs(t, err, bus.Busy)
	})
}
