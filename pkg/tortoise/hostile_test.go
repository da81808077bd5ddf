package tortoise

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/tortoise/fixed"
	"github.com/smeshery/smeshery/pkg/wire"
)

// The tests in this file are inputs that stop or corrupt the reference (spec 06
// §17), and those that are meant to cost more than they should.

func played(t testing.TB, layers int) *sim {
	s := newSim(small8(), 8, 4, 1)
	for i := range layers {
		s.layer(s.params.EffectiveGenesis + 1 + wire.LayerID(i))
	}
	return s
}

func (s *sim) honest(t testing.TB, m int) *Ballot {
	layer := s.t.last + 1
	if layer.FirstInEpoch(s.params.LayersPerEpoch) {
		s.openEpoch(layer.Epoch(s.params.LayersPerEpoch))
	}
	opinion, err := s.t.EncodeVotes(layer)
	require.NoError(t, err)
	return s.ballot(layer, &s.smeshers[m], opinion)
}

func TestZeroEligibilityCountIsRefused(t *testing.T) {
	s := played(t, 8)
	b := s.honest(t, 0)
	before := s.t.AppendSnapshot(nil)
	b.EpochData, b.Ref = &EpochData{Beacon: s.beacon}, wire.BallotID{}
	_, err := s.t.Decode(b)
	require.ErrorIs(t, err, &RuleError{Rule: RuleNoEligibility})
	require.Equal(t, before, s.t.AppendSnapshot(nil))
}

func TestEvictionOfMostLayersAtOnce(t *testing.T) {
	p := small8()
	p.Window = 8
	s := newSim(p, 8, 4, 1)
	g := p.EffectiveGenesis
	// Results that the mesh does not take hold the eviction back.
	for layer := g + 1; layer <= g+60; layer++ {
		s.ballots(layer)
		header := wire.Vote{ID: s.id20(), LayerID: layer, Height: 95}
		s.t.OnBlock(header)
		s.t.OnHareOutput(layer, header.ID)
		s.t.Tally(layer)
	}
	require.Equal(t, g-1, s.t.evicted)
	for _, r := range s.t.Updates() {
		if r.Verified {
			s.t.OnApplied(r.Layer, r.Opinion)
		}
	}
	require.Equal(t, s.t.verified-8-1, s.t.evicted)
	for i, l := range s.t.layers.row {
		require.Equal(t, s.t.evicted+1+wire.LayerID(i), l.id)
	}
	restored := s.reloaded(t)
	for layer := g + 61; layer <= g+80; layer++ {
		s.layer(layer)
		restored.Tally(layer)
	}
	require.GreaterOrEqual(t, s.t.verified, g+75)
	require.Equal(t, g+80, restored.processed)
}

func TestManyBlocksInLayerAreInOrder(t *testing.T) {
	s := played(t, 8)
	layer := s.t.last + 1
	for range 40 {
		s.t.OnBlock(wire.Vote{ID: s.id20(), LayerID: layer, Height: uint64(95 + s.rng.Intn(3))})
	}
	for i := range 4 {
		s.layer(layer + wire.LayerID(i))
	}
	results := s.t.Results(layer, layer)
	require.Len(t, results[0].Blocks, 41)
	for i, b := range results[0].Blocks[1:] {
		prev := results[0].Blocks[i].Header
		require.True(t, prev.Height < b.Header.Height || prev.Height == b.Header.Height && wire.Compare20(prev.ID, b.Header.ID) < 0)
	}
	require.GreaterOrEqual(t, s.t.verified, layer)
}

func TestVotesOnFarLayers(t *testing.T) {
	s := played(t, 40)
	b := s.honest(t, 0)
	far := *b
	far.Votes.Support = append([]wire.Vote{{ID: s.id20(), LayerID: math.MaxUint32, Height: 1}}, b.Votes.Support...)
	far.Votes.Abstain = []wire.LayerID{math.MaxUint32 - 1}
	require.NoError(t, s.t.OnBallot(&far), "a vote on a future layer has no effect")
	require.Nil(t, s.t.layers.get(math.MaxUint32))

	past := *s.honest(t, 1)
	past.Opinion[0]++
	past.Votes.Against = append([]wire.Vote{{ID: s.id20(), LayerID: s.t.evicted, Height: 1}}, past.Votes.Against...)
	require.ErrorIs(t, s.t.OnBallot(&past), &RuleError{Rule: RuleOutsideWindow})
	s.layer(s.t.last + 1)
}

func TestFarObjectsCostNothing(t *testing.T) {
	s := played(t, 12)
	start := time.Now()
	s.t.OnBlock(wire.Vote{ID: s.id20(), LayerID: math.MaxUint32, Height: 1})
	s.t.OnBlock(wire.Vote{ID: s.id20(), LayerID: math.MaxUint32 - 1, Height: 1})
	s.t.OnHareOutput(math.MaxUint32, wire.BlockID{1})
	s.t.OnWeakCoin(math.MaxUint32, true)
	s.t.OnBeacon(math.MaxUint32, s.beacon)
	b := *s.honest(t, 0)
	b.Layer, b.EpochData, b.Ref = math.MaxUint32, nil, s.t.layers.get(s.t.last).ballots[0].id
	require.ErrorIs(t, s.t.OnBallot(&b), &RuleError{Rule: RuleOutsideWindow})
	_, err := s.t.EncodeVotes(math.MaxUint32)
	require.Error(t, err)
	require.Less(t, time.Since(start), time.Second)
	s.reloaded(t)
	before := s.t.verified
	for range 4 {
		s.layer(s.t.last + 1)
	}
	require.Greater(t, s.t.verified, before)
}

func TestHeavyATXIsRefused(t *testing.T) {
	s := played(t, 8)
	err := s.t.OnATX(4, ATX{Weight: math.MaxUint64})
	require.ErrorIs(t, err, &RuleError{Rule: RuleWeightOverflow})
	for range 1 << 10 {
		if err = s.t.OnATX(40, ATX{Weight: math.MaxInt64}); err != nil {
			break
		}
	}
	require.ErrorIs(t, err, &RuleError{Rule: RuleWeightOverflow})
	s.layer(s.t.last + 1)
}

func TestBallotTooHeavyToCount(t *testing.T) {
	s := played(t, 8)
	b := s.honest(t, 0)
	heavy := ATX{Node: b.Smesher, Weight: math.MaxInt64, Height: 100}
	b.ATX = s.fresh()
	s.index.Add(b.Layer.Epoch(4), b.ATX, heavy)
	b.EpochData, b.Ref, b.Proofs = &EpochData{Beacon: s.beacon, Slots: 1}, wire.BallotID{}, wire.MaxEligibilityProofs
	require.ErrorIs(t, s.t.OnBallot(b), &RuleError{Rule: RuleWeightOverflow})
}

func TestEpochWithoutATXs(t *testing.T) {
	s := New(small8(), NewATXTable())
	for layer := wire.LayerID(8); layer < 40; layer++ {
		s.Tally(layer)
	}
	require.Equal(t, fixed.Number{}, s.windowed(20))
	require.Equal(t, wire.LayerID(7), s.verified)
	require.Equal(t, Full, s.mode)
}

func TestMalfeasanceAfterDecodeStillStores(t *testing.T) {
	s := played(t, 8)
	b := s.honest(t, 0)
	d, err := s.t.Decode(b)
	require.NoError(t, err)
	s.t.OnMalfeasance(b.Smesher)
	require.NoError(t, s.t.Store(d, true))
	require.Equal(t, 1, d.Weight().Sign())
	opinion, err := s.t.EncodeVotes(b.Layer + 1)
	require.NoError(t, err)
	require.NotEqual(t, b.ID, opinion.Votes.Base, "a malicious ballot is no base")
}

func TestLayerEvictedBetweenDecodeAndStore(t *testing.T) {
	s := played(t, 8)
	b := s.honest(t, 0)
	d, err := s.t.Decode(b)
	require.NoError(t, err)
	for range 40 {
		s.layer(s.t.last + 1)
	}
	require.Less(t, b.Layer, s.t.evicted)
	require.NoError(t, s.t.Store(d, false))
	require.False(t, s.t.Knows(b.ID))
	_, err = s.t.Decode(b)
	require.ErrorIs(t, err, &RuleError{Rule: RuleCannotDecode})
}

// FuzzDecode gives ballots with arbitrary votes to a state with some history.
// Whatever is refused changes nothing, whatever is accepted hashes as signed.
func FuzzDecode(f *testing.F) {
	s := played(f, 30)
	for i := range 4 {
		b := s.honest(f, i)
		f.Add(codec.MustEncode(&b.Votes), uint32(b.Layer), b.Opinion[:], true)
		deep := s.deepBallot(s.t.last+1, &s.smeshers[i], s.t.last-5)
		f.Add(codec.MustEncode(&deep.Votes), uint32(deep.Layer), deep.Opinion[:], false)
	}
	f.Add([]byte{}, uint32(0), []byte{}, true)
	snapshot := s.t.AppendSnapshot(nil)
	f.Fuzz(func(t *testing.T, raw []byte, layer uint32, opinion []byte, first bool) {
		var votes wire.Votes
		if codec.Decode(raw, &votes) != nil {
			return
		}
		state, err := fromSnapshot(s.params, s.index, snapshot)
		require.NoError(t, err)
		b := Ballot{ID: wire.BallotID{1}, Smesher: s.smeshers[0].node, ATX: s.smeshers[0].atx, Layer: wire.LayerID(layer), Proofs: 1, Votes: votes}
		copy(b.Opinion[:], opinion)
		if first {
			b.EpochData = &EpochData{Beacon: s.beacon, Slots: 1}
		} else {
			b.Ref = state.layers.get(state.last).ballots[0].id
		}
		d, err := state.Decode(&b)
		require.Equal(t, snapshot, state.AppendSnapshot(nil))
		if err != nil {
			require.NotEmpty(t, class(err))
			return
		}
		require.NoError(t, state.Store(d, false))
		require.Equal(t, b.Opinion, state.ballots[b.ID].opinion.hash)
		if b.Layer < 1000 {
			state.Tally(max(b.Layer, state.last) + 1)
		}
		_, err = fromSnapshot(s.params, s.index, state.AppendSnapshot(nil))
		require.NoError(t, err)
	})
}

// FuzzSnapshot reads arbitrary bytes as a state.
func FuzzSnapshot(f *testing.F) {
	s := played(f, 20)
	f.Add(s.t.AppendSnapshot(nil)[32:])
	f.Fuzz(func(t *testing.T, raw []byte) {
		sum := wire.Sum(raw)
		_, _ = fromSnapshot(s.params, s.index, append(sum[:], raw...))
	})
}
