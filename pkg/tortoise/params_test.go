package tortoise

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/wire"
)

func TestMainnetWindowChanges(t *testing.T) {
	n := network.Mainnet()
	p := ParamsOf(&n, n.FirstEffectiveGenesis())
	for layer, want := range map[wire.LayerID]uint32{0: 10_000, 30_000: 10_000, 30_001: 4032, 200_000: 4032} {
		require.Equal(t, want, p.WindowAt(layer), "layer %d", layer)
	}
	require.Equal(t, wire.LayerID(8063), p.EffectiveGenesis)
	require.Equal(t, uint32(4032), p.BadBeaconDelay)
	require.Equal(t, 1000, p.MaxExceptions)
}

func TestBadBeaconDelayDefaultsToEpoch(t *testing.T) {
	n := network.Params{LayersPerEpoch: 10}
	require.Equal(t, uint32(10), func() uint32 { p := ParamsOf(&n, 19); return p.BadBeaconDelay }())
}

// TestEvictionWhenWindowShrinks: the verified layer leaves the interval of the
// long window, and all layers between the windows go at once.
func TestEvictionWhenWindowShrinks(t *testing.T) {
	p := small8()
	p.Windows = []WindowInterval{{First: 0, Last: 50, Window: 30}}
	s := newSim(p, 8, 4, 1)
	seen := make(map[wire.LayerID]bool)
	top := p.EffectiveGenesis
	for layer := p.EffectiveGenesis + 1; layer < 90; layer++ {
		s.layer(layer)
		// Verified may fall back, what was evicted does not.
		top = max(top, s.t.verified)
		window := wire.LayerID(p.WindowAt(top))
		if top >= window+p.EffectiveGenesis+1 {
			require.Equal(t, top-window-1, s.t.evicted, "verified %d", top)
		}
		seen[s.t.evicted] = true
		s.t = s.reloaded(t)
	}
	require.True(t, seen[19])
	require.False(t, seen[30], "the layers between the windows go in one step")
}
