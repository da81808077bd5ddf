package test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/rewards"
)

// TestFourEpochs runs a network of three identities through four epochs, stops it as
// a user does, and goes on.
func TestFourEpochs(t *testing.T) {
	const identities = 3
	s := newStandalone(t, "--identities", "3")
	s.start()
	s.reach(quickFirst + 6)
	require.Less(t, s.interrupt(), 5*time.Second)
	s.start()
	const last = 4*quickPerEpoch + 2
	s.reach(last + 1)
	s.checkLayers(last)
	s.checkRewards(last, identities)
	for epoch := uint32(1); epoch <= 3; epoch++ {
		smeshers := s.smeshersIn(epoch)
		require.Len(t, smeshers, identities, "epoch %d", epoch)
		for _, n := range smeshers {
			require.Equal(t, 1, n)
		}
	}
	require.Zero(t, s.malicious())
	require.Less(t, s.interrupt(), 5*time.Second)
}

// checkLayers wants a block in every layer but those that passed while the network
// was stopped, and those on whose committee nobody could agree because of it.
func (s *standalone) checkLayers(last uint32) {
	s.t.Helper()
	list := s.layers(quickFirst, last)
	require.Len(s.t, list, int(last-quickFirst+1))
	var without []uint32
	for _, l := range list {
		require.NotEqual(s.t, "LAYER_STATUS_UNSPECIFIED", l.Status, "layer %d", l.Number)
		if !l.hasBlock() {
			without = append(without, l.Number)
		}
	}
	s.t.Logf("layers without a block: %v", without)
	require.LessOrEqual(s.t, len(without), 6, "layers without a block: %v", without)
}

// checkRewards compares with the subsidy schedule, to the smidge: what a layer pays is
// its subsidy but for what rounding leaves, less than a smidge a smesher.
func (s *standalone) checkRewards(last uint32, identities int) {
	s.t.Helper()
	paid, sums, count := uint64(0), make(map[uint32]uint64), make(map[uint32]int)
	all := s.rewards(quickFirst, last)
	for _, r := range all {
		require.Equal(s.t, r.LayerReward, r.Total, "there were no fees")
		sums[r.Layer] += uint64(r.LayerReward)
		count[r.Layer]++
	}
	schedule := rewards.NewSchedule()
	for _, l := range s.layers(quickFirst, last) {
		if !l.hasBlock() {
			require.Zero(s.t, sums[l.Number])
			continue
		}
		subsidy := schedule.Subsidy(l.Number - quickFirst + 1)
		require.LessOrEqual(s.t, sums[l.Number], subsidy, "layer %d", l.Number)
		require.Less(s.t, subsidy-sums[l.Number], uint64(count[l.Number]), "layer %d", l.Number)
		require.LessOrEqual(s.t, count[l.Number], identities)
		paid += sums[l.Number]
	}
	require.NotZero(s.t, paid)
}
