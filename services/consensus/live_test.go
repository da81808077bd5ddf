package consensus_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/wire"
)

func liveParams() network.Params {
	p := network.Standalone()
	p.Genesis.Time = time.Unix(1_700_000_000, 0)
	return p
}

// hareSays are the moments at which a single identity speaks in a layer.
var hareSays = []time.Duration{
	1000 * time.Millisecond, 1200 * time.Millisecond, 1500 * time.Millisecond, 1600 * time.Millisecond,
	1900 * time.Millisecond, 2200 * time.Millisecond, 2300 * time.Millisecond,
}

// through drives a layer of a network with one identity from its start to its end:
// a proposal, hare's messages, a block that is executed.
func (n *liveNet) through(layer wire.LayerID, p *process) {
	n.t.Helper()
	proposals, hare := n.count(bus.TopicProposal), n.count(bus.TopicHare3)
	start := n.start(layer)
	n.move(start, p)
	n.await("proposal", func() bool { return n.count(bus.TopicProposal) == proposals+1 })
	for i, after := range hareSays {
		n.move(start.Add(after), p)
		n.await("hare", func() bool { return n.count(bus.TopicHare3) >= hare+i+1 })
	}
	n.await("block", func() bool {
		return n.query("SELECT FROM state.layers WHERE layer = $1 AND applied_block <> $2", int64(layer), make([]byte, 20))
	})
	n.await("certificate", func() bool {
		return n.query("SELECT FROM consensus.certificates WHERE layer = $1 AND blob IS NOT NULL AND valid", int64(layer))
	})
}

// move sets the clock, stopping where the beacon has something to say.
func (n *liveNet) move(to time.Time, p *process) {
	n.t.Helper()
	for {
		at := n.nextBeacon()
		if at.After(to) {
			break
		}
		n.clock.moveTo(at)
		p.Wake()
		n.awaitBeacon(at)
	}
	n.clock.moveTo(to)
	p.Wake()
}

// beaconSays are the moments after an epoch's start and the topics of a single
// identity.
var beaconSays = []struct {
	after time.Duration
	topic bus.GossipTopic
}{
	{0, bus.TopicBeaconProposal}, {2 * time.Second, bus.TopicBeaconFirstVotes},
	{12 * time.Second, bus.TopicBeaconFollowVotes}, {14 * time.Second, bus.TopicWeakCoin},
	{16 * time.Second, bus.TopicBeaconFollowVotes}, {18 * time.Second, bus.TopicWeakCoin},
	{20 * time.Second, bus.TopicBeaconFollowVotes}, {22 * time.Second, bus.TopicWeakCoin},
	{24 * time.Second, ""},
}

// nextBeacon is the first of those moments after now.
func (n *liveNet) nextBeacon() time.Time {
	now := n.clock.Now()
	for epoch := n.params.Epoch(n.genesis) + 1; ; epoch++ {
		for _, say := range beaconSays {
			if at := n.start(n.params.FirstLayer(epoch)).Add(say.after); at.After(now) {
				return at
			}
		}
	}
}

func (n *liveNet) awaitBeacon(at time.Time) {
	n.t.Helper()
	want := make(map[bus.GossipTopic]int)
	var made wire.EpochID
	for epoch := n.params.Epoch(n.genesis) + 1; ; epoch++ {
		start := n.start(n.params.FirstLayer(epoch))
		if start.After(at) {
			break
		}
		for _, say := range beaconSays {
			if !start.Add(say.after).After(at) {
				want[say.topic]++
				if say.topic == "" {
					made = epoch + 1
				}
			}
		}
	}
	for topic, count := range want {
		if topic != "" {
			n.await(string(topic), func() bool { return n.count(topic) >= count })
		}
	}
	if made > 0 {
		n.await("beacon", func() bool {
			return n.query("SELECT FROM consensus.beacons WHERE epoch = $1", int64(made))
		})
	}
}

// TestLive runs a network of one identity through the first layers with weight and
// over the end of an epoch.
func TestLive(t *testing.T) {
	n := newLiveNet(t, liveParams(), 1)
	for target := wire.EpochID(2); target < 5; target++ {
		n.activate(target)
	}
	p := n.run("a")
	n.await("ready", func() bool {
		_, err := bus.ConsensusStatus().Call(t.Context(), n.gossip, bus.None{})
		return err == nil && p.Ready() == nil
	})
	first := n.genesis + 1
	last := first + wire.LayerID(n.params.LayersPerEpoch) + 1
	for layer := first; layer <= last; layer++ {
		n.through(layer, p)
	}
	status, err := bus.ConsensusStatus().Call(t.Context(), n.gossip, bus.None{})
	require.NoError(t, err)
	require.True(t, status.Synced)
	require.Equal(t, last, status.Current)
	require.GreaterOrEqual(t, status.Verified, last-3)
	n.mu.Lock()
	defer n.mu.Unlock()
	require.Empty(t, n.reasons)
	require.Zero(t, n.refused)
	require.Positive(t, n.events["proposal"])
	t.Log(n.events)
	n.end(p)
}
