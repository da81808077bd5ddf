package proposing

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/proposal"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
)

// TestEpoch builds an epoch's proposals with a new builder for each layer, as after
// a restart, and holds them against the rules.
func TestEpoch(t *testing.T) {
	w := newWorld(t, network.Standalone(), 3)
	genesis := w.params.Genesis.ID()
	verifier := signing.NewVerifier(genesis[:])
	first := w.params.FirstLayer(2)
	slots, err := proposal.Slots(100, 0, 300, w.params.LayerAverageSize, w.params.LayersPerEpoch)
	require.NoError(t, err)
	references := make(map[wire.NodeID]wire.BallotID)
	used := make(map[wire.NodeID]int)
	done := 0
	for layer := first; layer < first+10; layer++ {
		w.at(layer)
		n, err := w.builder(false).Build(t.Context(), layer)
		require.NoError(t, err)
		all := w.proposals()
		require.Len(t, all[done:], n)
		for _, p := range all[done:] {
			require.True(t, verifier.Verify(signing.Ballot, p.SmesherID, p.Ballot.SignedBytes(), p.Ballot.Signature))
			require.True(t, verifier.Verify(signing.Proposal, p.SmesherID, p.SignedBytes(), p.Signature))
			require.Equal(t, layer, p.Layer)
			if ref, ok := references[p.SmesherID]; ok {
				require.Equal(t, ref, p.RefBallot)
				require.Nil(t, p.EpochData)
			} else {
				require.Equal(t, slots, p.EpochData.EligibilityCount)
				require.Equal(t, *w.beacon, p.EpochData.Beacon)
				references[p.SmesherID] = p.Ballot.ID()
			}
			for _, proof := range p.EligibilityProofs {
				message := proposal.SlotMessage(*w.beacon, 2, 3, proof.J)
				require.True(t, vrf.Verify(p.SmesherID, message, proof.Sig))
				require.Equal(t, layer, proposal.EligibleLayer(&proof.Sig, 2, w.params.LayersPerEpoch))
				used[p.SmesherID]++
			}
		}
		w.publish(all[done:])
		done = len(all)
	}
	for _, id := range w.ids {
		require.Equal(t, int(slots), used[id], "every slot is used once")
	}
	require.Equal(t, 3*int(slots), w.proved, "restarts prove nothing again")
}

// TestBuiltOnce: neither a repeat nor another process builds a layer again, nor a
// layer below.
func TestBuiltOnce(t *testing.T) {
	w := newWorld(t, network.Standalone(), 2)
	layer := w.params.FirstLayer(2) + 3
	w.at(layer)
	a, b := w.builder(false), w.builder(false)
	require.NoError(t, b.Prepare(t.Context(), 2)) // it knows nothing of what a builds
	n, err := a.Build(t.Context(), layer)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	for _, again := range []*Builder{a, b, w.builder(false)} {
		for _, l := range []wire.LayerID{layer, layer - 1} {
			n, err := again.Build(t.Context(), l)
			require.NoError(t, err)
			require.Zero(t, n)
		}
	}
	require.Len(t, w.proposals(), 2)
}

// TestTheReferenceBallotHolds: what the first ballot declared is not changed by a
// beacon that becomes known later.
func TestTheReferenceBallotHolds(t *testing.T) {
	w := newWorld(t, network.Standalone(), 1)
	layer := w.params.FirstLayer(2)
	w.at(layer)
	b := w.builder(false)
	n, err := b.Build(t.Context(), layer)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	declared := *w.beacon
	w.publish(w.proposals())
	w.beacon = &wire.Beacon{9, 9, 9, 9}
	w.at(layer + 1)
	n, err = w.builder(false).Build(t.Context(), layer+1)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	second := w.proposals()[1]
	require.Equal(t, w.proposals()[0].Ballot.ID(), second.RefBallot)
	message := proposal.SlotMessage(declared, 2, 3, second.EligibilityProofs[0].J)
	require.True(t, vrf.Verify(second.SmesherID, message, second.EligibilityProofs[0].Sig))
}

// TestWhatIsMissing costs only those who lack it, and only the layers in which they do.
func TestWhatIsMissing(t *testing.T) {
	w := newWorld(t, network.Standalone(), 3)
	layer := w.params.FirstLayer(2)
	b, beacon := w.builder(false), w.beacon
	w.beacon = nil
	_, err := b.Build(t.Context(), layer)
	require.ErrorIs(t, err, ErrNoBeacon)
	w.beacon = beacon

	w.refuse[w.ids[0]] = true
	n, err := b.Build(t.Context(), layer+1)
	require.NoError(t, err)
	require.Equal(t, 2, n, "one has no proofs")
	w.refuse[w.ids[0]], w.refuse[w.ids[1]] = false, true
	n, err = b.Build(t.Context(), layer+2)
	require.NoError(t, err)
	require.Equal(t, 2, n, "another is refused signatures")
	w.refuse[w.ids[1]] = false
	n, err = b.Build(t.Context(), layer+3)
	require.NoError(t, err)
	require.Equal(t, 3, n)
}

// TestLateActivations: with too few good ATXs there is no active set, unless the
// node is alone and the epoch has begun.
func TestLateActivations(t *testing.T) {
	w := newWorld(t, network.Standalone(), 0)
	var seed [32]byte
	id := signing.NewKey(seed).NodeID()
	w.ids, w.seeds[id] = append(w.ids, id), seed
	w.activate(id, 2, -time.Second)
	layer := w.params.FirstLayer(2)
	w.at(layer)
	_, err := w.builder(false).Build(t.Context(), layer)
	require.ErrorIs(t, err, proposal.ErrNoActiveSet)
	w.now = w.now.Add(-time.Second)
	require.ErrorIs(t, w.builder(true).Prepare(t.Context(), 2), proposal.ErrNoActiveSet)
	w.at(layer)
	n, err := w.builder(true).Build(t.Context(), layer)
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

// TestTransactions: all list the whole mempool while it fits, else each chooses.
func TestTransactions(t *testing.T) {
	w := newWorld(t, network.Standalone(), 3)
	layer := w.params.FirstLayer(2)
	b := w.builder(false)
	w.pool = 5
	_, err := b.Build(t.Context(), layer)
	require.NoError(t, err)
	require.Len(t, w.asked, 1)
	for _, p := range w.proposals() {
		require.Len(t, p.TxIDs, 5)
	}
	w.pool, w.asked = 1_000_000, nil
	_, err = b.Build(t.Context(), layer+1)
	require.NoError(t, err)
	require.Len(t, w.asked, 4)
	for _, p := range w.proposals()[3:] {
		require.Len(t, p.TxIDs, len(p.EligibilityProofs)*w.params.TxsPerProposal)
	}
	require.NotEqual(t, w.asked[1].Seed, w.asked[2].Seed)
}

func cpuSeconds() float64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}

// BenchmarkThousand builds layers for 1,000 identities that all have slots:
// cpu-s/layer is without the proofs, which are made once an epoch and told apart,
// and with plain signatures in place of the guard's.
func BenchmarkThousand(b *testing.B) {
	params := network.Standalone()
	params.LayerAverageSize = 1000
	w := newWorld(b, params, 1000)
	builder := w.builder(false)
	began, cpu := time.Now(), cpuSeconds()
	require.NoError(b, builder.Prepare(b.Context(), 2))
	b.ReportMetric((cpuSeconds()-cpu)/float64(params.LayersPerEpoch), "prepare-cpu-s/layer")
	b.ReportMetric(time.Since(began).Seconds(), "prepare-s/epoch")
	first, proposals, layers := w.params.FirstLayer(2), 0, 0
	began, cpu = time.Now(), cpuSeconds()
	for layer := first; layer < first+10; layer++ {
		w.at(layer)
		n, err := builder.Build(b.Context(), layer)
		require.NoError(b, err)
		proposals += n
		layers++
	}
	per := float64(proposals) / 1000
	b.ReportMetric((cpuSeconds()-cpu)/per, "cpu-s/1000-proposals")
	b.ReportMetric(time.Since(began).Seconds()/per, "s/1000-proposals")
	b.ReportMetric(float64(proposals)/float64(layers), "proposals/layer")
	b.ReportMetric(0, "ns/op")
}
