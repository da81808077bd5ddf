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
// a proposal, hare's messages, a certificate.
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
	n.await("certificate", func() bool {
		return n.query("SELECT FROM consensus.certificates WHERE layer = $1 AND blob IS NOT NULL AND valid", int64(layer))
	})
}

// awaitApplied waits for a layer's block in the state.
func (n *liveNet) awaitApplied(layer wire.LayerID) {
	n.t.Helper()
	n.await("block", func() bool {
		return n.query("SELECT FROM state.layers WHERE layer = $1 AND applied_block <> $2", int64(layer), make([]byte, 20))
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
	for _, say := range beaconSays {
		want[say.topic] = n.before[say.topic]
	}
	var made wire.EpochID
	for epoch := n.params.Epoch(n.genesis) + 1; ; epoch++ {
		start := n.start(n.params.FirstLayer(epoch))
		if start.After(at) {
			break
		}
		for _, say := range beaconSays {
			if !start.Add(say.after).After(at) && epoch > n.silent {
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
	n.awaitLeader(p)
	first := n.genesis + 1
	last := first + wire.LayerID(n.params.LayersPerEpoch) + 1
	for layer := first; layer <= last; layer++ {
		n.through(layer, p)
		n.awaitApplied(layer)
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

// awaitLeader waits until a process does the duties.
func (n *liveNet) awaitLeader(p *process) {
	n.t.Helper()
	n.await("leader", p.Leading)
	require.NoError(n.t, p.Ready())
}

// TestStandby has a second process take over from one that dies in the middle of a
// layer, and the first come back as the standby of the second.
func TestStandby(t *testing.T) {
	n := newLiveNet(t, liveParams(), 1)
	for target := wire.EpochID(2); target < 5; target++ {
		n.activate(target)
	}
	a := n.run("a")
	n.awaitLeader(a)
	b := n.run("b")
	n.await("standby", func() bool { return b.Ready() == nil })
	first := n.genesis + 1
	n.through(first, a)
	n.through(first+1, a)

	n.move(n.start(first+2), a)
	n.await("proposal", func() bool { return n.count(bus.TopicProposal) == 3 })
	n.crash(a)
	n.silence(2) // its beacon died with the first process
	n.awaitLeader(b)
	for layer := first + 3; layer < first+wire.LayerID(n.params.LayersPerEpoch)+3; layer++ {
		n.through(layer, b)
		if layer > first+4 { // that the layer in between is empty shows after zdist
			n.awaitApplied(layer)
		}
	}
	n.awaitApplied(first + 3)

	a = n.run("a")
	n.await("standby", func() bool { return a.Ready() == nil })
	n.end(b)
	n.silence(3)
	n.awaitLeader(a)
	next := n.params.Epoch(n.genesis) + 2
	n.through(n.params.FirstLayer(next)+3, a)
	n.through(n.params.FirstLayer(next)+4, a)
	n.awaitApplied(n.params.FirstLayer(next) + 4)
	require.Zero(t, n.refused)
	require.Empty(t, n.reasons)
	n.end(a)
}

// TestRestartInALayer: what was built before a restart is not built again.
func TestRestartInALayer(t *testing.T) {
	n := newLiveNet(t, liveParams(), 1)
	n.activate(2)
	p := n.run("a")
	n.awaitLeader(p)
	first := n.genesis + 1
	n.through(first, p)
	n.move(n.start(first+1), p)
	n.await("proposal", func() bool { return n.count(bus.TopicProposal) == 2 })
	n.end(p)
	n.silence(2)
	// The clock is set back to before the layer, and the process starts again.
	n.clock.moveTo(n.start(first + 1).Add(-time.Second))
	p = n.run("a")
	n.awaitLeader(p)
	n.move(n.start(first+1), p)
	for layer := first + 2; layer < first+6; layer++ {
		n.through(layer, p)
	}
	n.awaitApplied(first + 5)
	require.Equal(t, 6, n.count(bus.TopicProposal))
	require.Zero(t, n.refused)
	n.end(p)
}
