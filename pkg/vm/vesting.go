package vm

import (
	"math/bits"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Vested is how much of the vault's total is free at a layer, in smidge (spec
// 07 §4.4). The end is tested second, so that a vault whose start is its end
// frees everything there.
func (a *VaultArgs) Vested(layer wire.LayerID) uint64 {
	switch {
	case layer < a.Start:
		return 0
	case layer >= a.End:
		return a.Total
	}
	// start <= layer < end, so the quotient is below Total and fits.
	high, low := bits.Mul64(a.Total, uint64(layer-a.Start))
	vested, _ := bits.Div64(high, low, uint64(a.End-a.Start))
	return vested
}

// Mainnet's vaults (spec 07 §10.3).
const (
	VestingStart    wire.LayerID = 105120
	VestingEnd      wire.LayerID = 420480
	TotalVaulted    uint64       = 150_000_000_000_000_000
	vestingPerLayer              = TotalVaulted / uint64(VestingEnd-VestingStart)
)

// NetworkVested is how much of all vaults has vested by a layer, for supply
// charts (spec 07 §7.5).
func NetworkVested(layer wire.LayerID) uint64 {
	switch {
	case layer < VestingStart:
		return 0
	case layer >= VestingEnd:
		return TotalVaulted
	}
	return uint64(layer-VestingStart) * vestingPerLayer
}

// NetworkVestedIn is how much vests in one layer.
func NetworkVestedIn(layer wire.LayerID) uint64 {
	if layer == 0 {
		return NetworkVested(0)
	}
	return NetworkVested(layer) - NetworkVested(layer-1)
}
