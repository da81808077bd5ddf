package consensus_test

import (
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/proposal"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
)

// voter is an identity alone in a network: all slots are its own.
type voter struct {
	w      *world
	seed   [32]byte
	id     wire.NodeID
	atx    activation.ATX
	set    wire.EpochActiveSet
	slots  uint32
	proofs map[wire.LayerID][]wire.VotingEligibility
}

func newVoter(t *testing.T) *voter {
	t.Helper()
	params := network.Fastnet()
	params.Genesis.Time = time.Unix(1_700_000_000, 0)
	params.LayerAverageSize = 2
	v := &voter{w: newWorld(t, params), seed: [32]byte{7}}
	v.id = wire.NodeID(ed25519.NewKeyFromSeed(v.seed[:]).Public().(ed25519.PublicKey))
	v.atx = activation.ATX{ID: wire.ATXID{1}, PublishEpoch: 1, Node: v.id, Weight: 100, Ticks: 10, VRFNonce: 3}
	v.set = wire.EpochActiveSet{Epoch: 2, Set: []wire.ATXID{v.atx.ID}}
	v.slots = 8
	proofs := make([]wire.VrfSignature, v.slots)
	for j := range proofs {
		proofs[j] = vrf.Prove(v.seed, proposal.SlotMessage(wire.Beacon{1, 2, 3, 4}, 2, v.atx.VRFNonce, uint32(j)))
	}
	v.proofs = proposal.Schedule(proofs, 2, params.LayersPerEpoch)
	v.w.at(v.layer())
	v.w.start()
	v.w.addATX(v.atx)
	set := codec.MustEncode(&v.set)
	require.Equal(t, bus.Accept, v.w.offer(bus.KindActiveSet, v.set.Hash(), set).Verdict)
	return v
}

// layer is the first layer after that of genesis in which the voter has a slot and
// something to vote on.
func (v *voter) layer() wire.LayerID {
	for l := wire.LayerID(9); ; l++ {
		if len(v.proofs[l]) > 0 {
			return l
		}
	}
}

// ballot is a valid first ballot, which change may spoil before it is signed.
func (v *voter) ballot(change func(*wire.Ballot)) (wire.Hash32, []byte) {
	layer := v.layer()
	b := &wire.Ballot{
		InnerBallot: wire.InnerBallot{
			Layer: layer, AtxID: v.atx.ID,
			EpochData: &wire.EpochData{ActiveSetHash: v.set.Hash(), Beacon: wire.Beacon{1, 2, 3, 4}, EligibilityCount: v.slots},
		},
		SmesherID: v.id, EligibilityProofs: v.proofs[layer],
	}
	opinion := wire.HashATXList(nil)
	for l := v.w.genesis + 1; l < layer; l++ {
		b.Votes.Abstain = append(b.Votes.Abstain, l)
		h := wire.NewOpinionHasher(&opinion)
		h.Abstain()
		opinion = h.Sum()
	}
	b.OpinionHash = opinion
	change(b)
	id := v.w.params.Genesis.ID()
	body := append(append([]byte{}, id[:]...), byte(signing.Ballot))
	b.Signature = wire.EdSignature(ed25519.Sign(ed25519.NewKeyFromSeed(v.seed[:]), append(body, b.SignedBytes()...)))
	return wire.Pad32(b.ID()), codec.MustEncode(b)
}

func TestTwoBallotsInALayerAccuseTheirAuthor(t *testing.T) {
	v := newVoter(t)
	hash, blob := v.ballot(func(*wire.Ballot) {})
	j := v.w.offer(bus.KindBallot, hash, blob)
	require.Equal(t, bus.Accept, j.Verdict, "%s %s", j.Reason, j.Detail)
	require.Empty(t, v.w.accused)
	require.Equal(t, bus.Accept, v.w.offer(bus.KindBallot, hash, blob).Verdict, "a known ballot")
	require.Empty(t, v.w.accused)
	other, second := v.ballot(func(b *wire.Ballot) {
		b.EpochData.Beacon = wire.Beacon{1, 2, 3, 4}
		b.EpochData.ActiveSetHash = v.set.Hash()
		b.Votes.Abstain = nil
		b.OpinionHash = v.unvoted()
	})
	j = v.w.offer(bus.KindBallot, other, second)
	require.Equal(t, bus.Accept, j.Verdict, "%s %s", j.Reason, j.Detail)
	select {
	case id := <-v.w.accused:
		require.Equal(t, v.id, id)
	case <-time.After(time.Minute):
		t.Fatal("nobody was accused")
	}
	// The rows still show it to a service that starts later.
	v.w.stopService()
	v.w.start()
	require.Equal(t, v.id, <-v.w.accused)
	v.w.stopService()
}

// unvoted is the opinion of a ballot that votes against everything.
func (v *voter) unvoted() wire.Hash32 {
	opinion := wire.HashATXList(nil)
	for l := v.w.genesis + 1; l < v.layer(); l++ {
		opinion = wire.NewOpinionHasher(&opinion).Sum()
	}
	return opinion
}

func TestBadBallotsAreJudgedAndHarmNothing(t *testing.T) {
	v := newVoter(t)
	cases := map[string]struct {
		change  func(*wire.Ballot)
		verdict bus.Verdict
	}{
		"no_slots":            {func(b *wire.Ballot) { b.EpochData.EligibilityCount = 0 }, bus.Reject},
		"slot_count":          {func(b *wire.Ballot) { b.EpochData.EligibilityCount++ }, bus.Reject},
		"zero_beacon":         {func(b *wire.Ballot) { b.EpochData.Beacon = wire.Beacon{} }, bus.Reject},
		"no_epoch_data":       {func(b *wire.Ballot) { b.EpochData = nil }, bus.Reject},
		"no_atx":              {func(b *wire.Ballot) { b.AtxID = wire.ATXID{} }, bus.Reject},
		"no_proofs":           {func(b *wire.Ballot) { b.EligibilityProofs = nil }, bus.Reject},
		"vrf":                 {func(b *wire.Ballot) { b.EligibilityProofs[0].Sig[70] ^= 1 }, bus.Ignore},
		"undecodable_votes":   {func(b *wire.Ballot) { b.OpinionHash[0] ^= 1 }, bus.Ignore},
		"dependency_missing":  {func(b *wire.Ballot) { b.Votes.Base = wire.BallotID{9} }, bus.Ignore},
		"before_genesis":      {func(b *wire.Ballot) { b.Layer = 3 }, bus.Reject},
		"epoch_data_with_ref": {func(b *wire.Ballot) { b.RefBallot = wire.BallotID{9} }, bus.Reject},
	}
	for rule, c := range cases {
		hash, blob := v.ballot(func(b *wire.Ballot) {
			b.EligibilityProofs = append([]wire.VotingEligibility{}, b.EligibilityProofs...)
			c.change(b)
		})
		j := v.w.offer(bus.KindBallot, hash, blob)
		require.Equal(t, rule, j.Reason, j.Detail)
		require.Equal(t, c.verdict, j.Verdict, rule)
	}
	for _, garbage := range [][]byte{nil, {1, 2, 3}, make([]byte, 1000)} {
		require.Equal(t, bus.Reject, v.w.offer(bus.KindBallot, wire.Hash32{}, garbage).Verdict)
		require.Equal(t, bus.Reject, v.w.offer(bus.KindActiveSet, wire.Hash32{}, garbage).Verdict)
		require.Equal(t, bus.Reject, v.w.tell(bus.LayerNews{Layer: 8, Certificate: append([]byte{}, append(garbage, 1)...)}).Verdict)
	}
	hash, blob := v.ballot(func(*wire.Ballot) {})
	require.Equal(t, bus.Accept, v.w.offer(bus.KindBallot, hash, blob).Verdict)
	v.w.stopService()
}

// An altered certificate of a real network is refused.
func TestAnAlteredCertificateIsRefused(t *testing.T) {
	name := vectors.Recordings(t)[0]
	r := readRecording(t, name)
	w := newWorld(t, r.params)
	w.at(w.genesis)
	w.start()
	r.feedBase(w)
	for _, l := range r.layers {
		if l.Layer <= w.genesis {
			continue
		}
		if c := r.certificates[l.Layer]; len(c) > 0 && c[0].Blob != nil {
			r.feed(w, l)
			blob := append([]byte{}, c[0].Blob...)
			blob[len(blob)-40] ^= 1
			j := w.tell(bus.LayerNews{Layer: l.Layer, Certificate: blob})
			require.Equal(t, bus.Reject, j.Verdict)
			w.stopService()
			return
		}
		r.feed(w, l)
	}
	t.Fatal("the recording has no certificate")
}
