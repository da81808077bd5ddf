package tortoise

import (
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Params are the network's numbers (spec 06 §2). All are in layers unless said.
type Params struct {
	LayersPerEpoch uint32
	// EffectiveGenesis is the last layer before smeshers vote.
	EffectiveGenesis wire.LayerID
	// Hdist is how long hare's word stands before votes decide.
	Hdist uint32
	// Zdist is how long hare's output is awaited.
	Zdist uint32
	// Window is how many verified layers are kept.
	Window uint32
	// Windows are exceptions to Window; the first that matches holds.
	Windows []WindowInterval
	// MaxExceptions bounds supported and rejected blocks in an encoded ballot.
	MaxExceptions int
	// BadBeaconDelay is after how many layers a ballot with another beacon counts.
	BadBeaconDelay uint32
}

// WindowInterval is the window for layers First to Last, both included.
type WindowInterval struct {
	First, Last wire.LayerID
	Window      uint32
}

// WindowAt is the window that holds at a layer (spec 06 §2).
func (p *Params) WindowAt(layer wire.LayerID) uint32 {
	for _, interval := range p.Windows {
		if layer >= interval.First && layer <= interval.Last {
			return interval.Window
		}
	}
	return p.Window
}

// within tells whether a layer is at most distance layers old at last (spec 06 §1).
func within(distance uint32, layer, last wire.LayerID) bool {
	return uint64(layer)+uint64(distance) > uint64(last)
}

// maxChain bounds the layers that one ballot's votes may span. It is more than
// any window and any stall that a node survives, and keeps a ballot with a
// far-off layer from costing more than a few milliseconds.
const maxChain = 1 << 17

// ParamsOf takes the numbers of a network. genesis is the effective genesis,
// which a checkpoint moves.
func ParamsOf(n *network.Params, genesis wire.LayerID) Params {
	p := Params{
		LayersPerEpoch: n.LayersPerEpoch, EffectiveGenesis: genesis,
		Hdist: n.Tortoise.Hdist, Zdist: n.Tortoise.Zdist, Window: n.Tortoise.WindowSize,
		MaxExceptions:  int(n.Tortoise.MaxExceptions),
		BadBeaconDelay: n.Tortoise.BadBeaconDelayLayers,
	}
	if p.BadBeaconDelay == 0 {
		p.BadBeaconDelay = n.LayersPerEpoch
	}
	for _, w := range n.Tortoise.HistoricalWindows {
		p.Windows = append(p.Windows, WindowInterval{First: w.Start, Last: w.End, Window: w.Window})
	}
	return p
}
