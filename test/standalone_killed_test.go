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
	s.heal()
	require.Zero(t, s.malicious())
	// An epoch may be missed whose deadlines passed while it was down; the ones
	// before and after are not.
	require.Len(t, s.smeshersIn(1), 3)
	require.Eventually(t, func() bool { return len(s.smeshersIn(s.status().Current/quickPerEpoch)) == 3 }, 2*time.Minute, 500*time.Millisecond)
	s.interrupt()
}

// heal waits until the last layers, as many as an epoch has, all have a block.
func (s *standalone) heal() {
	s.t.Helper()
	s.healthy(quickPerEpoch)
}

// healthy waits until the last n layers all have a block. How
// long that takes is the protocol's: layers without ballots are decided by weak coins
// once enough votes have come in after them.
func (s *standalone) healthy(n uint32) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		st := s.status()
		if st.Applied+3 < st.Current {
			return false
		}
		for _, l := range s.layers(st.Applied-n+1, st.Applied) {
			if !l.hasBlock() {
				return false
			}
		}
		return true
	}, 4*time.Minute, 500*time.Millisecond)
}
