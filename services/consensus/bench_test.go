package consensus_test

import (
	"crypto/ed25519"
	"encoding/binary"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/proposal"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
)

const (
	benchVoters = 96
	benchLayers = 64 // in the epoch
)

type signedBallot struct {
	hash wire.Hash32
	blob []byte
}

// benchNetwork makes an epoch of ballots, a list for each layer.
func benchNetwork(b *testing.B) (*world, [][]signedBallot) {
	b.Helper()
	params := network.Testnet()
	params.Genesis.Time = time.Unix(1_700_000_000, 0)
	params.LayersPerEpoch, params.LayerAverageSize = benchLayers, benchVoters
	params.Tortoise.MinimalActiveSetWeight = nil
	params.Tortoise.BadBeaconDelayLayers = 10
	w := newWorld(b, params)
	w.at(w.genesis)
	set := wire.EpochActiveSet{Epoch: 2}
	voters := make([]*voter, benchVoters)
	for i := range voters {
		v := &voter{w: w, slots: benchLayers}
		binary.BigEndian.PutUint32(v.seed[:], uint32(i+1))
		v.id = wire.NodeID(ed25519.NewKeyFromSeed(v.seed[:]).Public().(ed25519.PublicKey))
		v.atx = activation.ATX{PublishEpoch: 1, Node: v.id, Weight: 100, Ticks: 10, VRFNonce: 3}
		binary.BigEndian.PutUint32(v.atx.ID[:], uint32(i+1))
		proofs := make([]wire.VrfSignature, v.slots)
		for j := range proofs {
			proofs[j] = vrf.Prove(v.seed, proposal.SlotMessage(wire.Beacon{1, 2, 3, 4}, 2, v.atx.VRFNonce, uint32(j)))
		}
		v.proofs = proposal.Schedule(proofs, 2, params.LayersPerEpoch)
		w.addATX(v.atx)
		set.Set = append(set.Set, v.atx.ID)
		voters[i] = v
	}
	w.start()
	require.Equal(b, bus.Accept, w.offer(bus.KindActiveSet, set.Hash(), codec.MustEncode(&set)).Verdict)
	return w, epochOfBallots(w, voters, set.Hash())
}

func epochOfBallots(w *world, voters []*voter, set wire.Hash32) [][]signedBallot {
	out := make([][]signedBallot, benchLayers)
	references := make(map[wire.NodeID]wire.BallotID)
	id := w.params.Genesis.ID()
	var base wire.BallotID
	opinion := wire.HashATXList(nil)
	first := w.genesis + 1
	for i := range out {
		layer := first + wire.LayerID(i)
		var abstain []wire.LayerID
		if i > 0 {
			abstain = []wire.LayerID{layer - 1}
			h := wire.NewOpinionHasher(&opinion)
			h.Abstain()
			opinion = h.Sum()
		}
		next := base
		for _, v := range voters {
			if len(v.proofs[layer]) == 0 {
				continue
			}
			bl := &wire.Ballot{
				InnerBallot:       wire.InnerBallot{Layer: layer, AtxID: v.atx.ID, OpinionHash: opinion},
				SmesherID:         v.id,
				Votes:             wire.Votes{Base: base, Abstain: abstain},
				EligibilityProofs: v.proofs[layer],
			}
			if ref, ok := references[v.id]; ok {
				bl.RefBallot = ref
			} else {
				bl.EpochData = &wire.EpochData{ActiveSetHash: set, Beacon: wire.Beacon{1, 2, 3, 4}, EligibilityCount: v.slots}
				references[v.id] = bl.ID()
			}
			body := append(append([]byte{}, id[:]...), byte(signing.Ballot))
			bl.Signature = wire.EdSignature(ed25519.Sign(ed25519.NewKeyFromSeed(v.seed[:]), append(body, bl.SignedBytes()...)))
			out[i] = append(out[i], signedBallot{wire.Pad32(bl.ID()), codec.MustEncode(bl)})
			next = bl.ID()
		}
		base = next
	}
	return out
}

func cpuSeconds() float64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}

// vrfSeconds reads what the service spent on VRFs.
func (w *world) vrfSeconds() (sum float64) {
	families, err := w.registry.Gather()
	require.NoError(w.t, err)
	for _, f := range families {
		if f.GetName() == "smeshery_consensus_vrf_verification_seconds_total" {
			sum += f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	return sum
}

// BenchmarkBallots judges, stores and counts an epoch's ballots over the bus,
// with a real database. ballots/core-s leaves out the time of VRF proofs.
func BenchmarkBallots(b *testing.B) {
	w, epoch := benchNetwork(b)
	w.at(w.genesis + benchLayers)
	count := 0
	cpu, vrfs, began := cpuSeconds(), w.vrfSeconds(), time.Now()
	for _, layer := range epoch {
		count += len(layer)
		var group sync.WaitGroup
		for i := range layer {
			group.Go(func() {
				j := w.offer(bus.KindBallot, layer[i].hash, layer[i].blob)
				if j.Verdict != bus.Accept {
					b.Errorf("ballot: %s %s", j.Reason, j.Detail)
				}
			})
		}
		group.Wait()
	}
	wall := time.Since(began).Seconds()
	vrfSpent := w.vrfSeconds() - vrfs
	b.ReportMetric(float64(count)/wall, "ballots/s")
	b.ReportMetric(float64(count)/(cpuSeconds()-cpu-vrfSpent), "ballots/core-s")
	b.ReportMetric(vrfSpent/float64(count)*1e6, "vrf-µs/ballot")
	b.ReportMetric(0, "ns/op")
	w.stopService()
}
