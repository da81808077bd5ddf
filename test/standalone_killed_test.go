package test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestTwentyKills kills a network with SIGKILL twenty times, at any moment, starting
// ones included. It goes on each time, nobody equivocates, and it ends as healthy as
// any other.
func TestTwentyKills(t *testing.T) {
	s := newStandalone(t, "--identities", "3")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	s.start()
	s.reach(quickFirst + 1)
	before := s.status().Applied
	for kill := range 20 {
		// From the middle of a start to the middle of a layer.
		moment := time.After(time.Duration(rng.Int64N(int64(5 * time.Second))))
		if kill%4 == 3 {
			<-s.opened
		}
		<-moment
		s.kill()
		s.launch()
	}
	s.await()
	now := s.status()
	require.GreaterOrEqual(t, now.Applied, before, "what was applied stays")
	// A whole epoch without a kill.
	end := (now.Current/quickPerEpoch+2)*quickPerEpoch + 1
	s.reach(end)
	with := 0
	for _, l := range s.layers(end-quickPerEpoch, end) {
		if l.hasBlock() {
			with++
		}
	}
	require.GreaterOrEqual(t, with, quickPerEpoch-1, "of the last %d layers", quickPerEpoch+1)
	require.Zero(t, s.malicious())
	require.Len(t, s.smeshersIn(now.Current/quickPerEpoch+1), 3)
	s.interrupt()
}
