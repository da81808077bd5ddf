package peer

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBootnodesArePreferredByOthers(t *testing.T) {
	px := NewScoreParams().AcceptPXThreshold
	require.Greater(t, AppScore(false, true), px)
	require.Zero(t, AppScore(true, true))
	require.Zero(t, AppScore(false, false))
}

func TestOneInvalidMessageEndsAMeshPlace(t *testing.T) {
	s := NewScoreParams()
	best := s.Topic.Weight * (s.Topic.TimeInMeshCap*s.Topic.TimeInMeshWeight + s.Topic.FirstCap*s.Topic.FirstWeight)
	require.Negative(t, best+s.Topic.Weight*s.Topic.InvalidWeight)
	require.InDelta(t, 0.01, math.Pow(s.BehaviourDecay, 3600), 1e-9)
}

func TestMeshSizesAreOrdered(t *testing.T) {
	for _, bootnode := range []bool{false, true} {
		p := NewGossipParams(bootnode)
		require.LessOrEqual(t, p.DLow, p.D)
		require.LessOrEqual(t, p.D, p.DHigh)
		require.LessOrEqual(t, p.DOut, p.DLow)
		require.LessOrEqual(t, p.HistoryGossip, p.HistoryLength)
		require.Equal(t, bootnode, p.PeerExchange)
	}
}
