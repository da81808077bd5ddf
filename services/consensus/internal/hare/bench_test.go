package hare_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/hare"
)

// crowd is a node all of whose identities speak in every round, without waiting
// for anybody.
type crowd struct {
	*node
	now   atomic.Int64
	keys  map[wire.NodeID]identity
	said  chan int
	mu    sync.Mutex
	spent float64 // on keys
}

func (c *crowd) Prove(_ context.Context, items []bus.VRFItem) []bus.VRFResult {
	c.mu.Lock()
	defer c.mu.Unlock()
	began := cpuSeconds()
	out := make([]bus.VRFResult, len(items))
	for i, item := range items {
		out[i] = bus.VRFResult{Outcome: bus.Signed, Proof: vrf.Prove(c.keys[item.NodeID].seed, item.Message)}
	}
	c.spent += cpuSeconds() - began
	return out
}

func (c *crowd) Sign(_ context.Context, items []bus.SignItem) []bus.SignResult {
	c.mu.Lock()
	defer c.mu.Unlock()
	began := cpuSeconds()
	prefix := c.verifier.Prefix()
	out := make([]bus.SignResult, len(items))
	for i, item := range items {
		out[i] = bus.SignResult{Outcome: bus.Signed, Signature: sign(c.keys[item.NodeID], prefix, item.Body)}
	}
	c.spent += cpuSeconds() - began
	return out
}

func (c *crowd) Store(_ context.Context, batch []bus.Stored) []error {
	c.said <- len(batch)
	return make([]error, len(batch))
}

func cpuSeconds() float64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}

// BenchmarkRound1000 is the CPU time of a round in which a thousand identities
// prove their seats, sign, judge what they say and hand it to gossip. keys-s is
// the part of it that activation would spend on proofs and signatures.
func BenchmarkRound1000(b *testing.B) {
	const identities = 1000
	params := network.Mainnet()
	params.Genesis.Time = time.Unix(1_700_000_000, 0)
	params.LayersPerEpoch, params.EligibilityConfidence = 10, 2
	params.Hare3.EnableLayer, params.Hare3.Upgrade = 0, nil
	params.Hare3.Committee, params.Hare3.Leaders = 16*identities, 16*identities // nobody misses a round
	c := newCluster(b, params, 1, identities)
	n := &crowd{node: c.nodes[0], keys: make(map[wire.NodeID]identity), said: make(chan int)}
	for _, id := range c.ids {
		n.keys[id.node] = id
	}
	layer := c.genesis + 1
	start := params.Genesis.Time.Add(time.Duration(layer) * params.LayerDuration)
	rounds := []time.Duration{25 * time.Second, 49 * time.Second, 85 * time.Second, 97 * time.Second}
	cpu, count := 0.0, 0
	for b.Loop() {
		driver, stop := n.begin(b, start, layer)
		before := cpuSeconds()
		for _, due := range rounds {
			n.now.Store(start.Add(due).UnixNano())
			driver.Wake()
			for said := 0; said < identities; {
				said += <-n.said
			}
		}
		cpu += cpuSeconds() - before
		count += len(rounds)
		stop()
	}
	b.ReportMetric(cpu/float64(count), "cpu-s/round")
	b.ReportMetric(n.spent/float64(count), "keys-s/round")
	b.ReportMetric(0, "ns/op")
}

// begin makes a driver in a layer that has just begun, with fifty proposals.
func (c *crowd) begin(b *testing.B, start time.Time, layer wire.LayerID) (*hare.Driver, func()) {
	c.now.Store(start.Add(-time.Second).UnixNano())
	c.oracle, c.proposals = c.c.oracle(), hare.NewProposals(2, layer-1)
	now := func() time.Time { return time.Unix(0, c.now.Load()) }
	driver, err := hare.New(c.c.params, hare.Deps{
		Node: c, Oracle: c.oracle, Keys: c, Publisher: c, Results: c, Proposals: c.proposals, Charges: new(hare.Charges),
		Log: slog.New(slog.DiscardHandler), Now: now,
		Timer: func(time.Duration) (<-chan time.Time, func()) { return nil, func() {} },
	})
	require.NoError(b, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = driver.Run(ctx)
	}()
	for _, id := range c.c.ids[:50] {
		p := &wire.Proposal{Ballot: wire.Ballot{InnerBallot: wire.InnerBallot{Layer: layer, AtxID: id.atx}, SmesherID: id.node}}
		require.NoError(b, c.proposals.Add(accepted(p)))
	}
	c.now.Store(start.UnixNano())
	require.NoError(b, driver.OnLayer(ctx, layer, true))
	return driver, func() {
		cancel()
		<-ended
	}
}
