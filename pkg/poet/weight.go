package poet

import (
	"math"
	"math/bits"
)

// PostUnits is what one NIPoST brings into an ATX: the leaf count of its PoET
// proof and its effective space units.
type PostUnits struct {
	Leaves uint64
	Units  uint32
}

// Weight is what an ATX's space and time amount to.
type Weight struct {
	Units  uint32
	Weight uint64
	Ticks  uint64
}

// Ticks is the length of a proof in ticks (spec 03 §17.4).
func Ticks(leaves, tickSize uint64) uint64 { return leaves / tickSize }

// WeightOf weighs an ATX (spec 03 §17.4). Each product has to fit 64 bits and
// the units 32, or the error is RuleATXWeight; the sum of the products wraps, as
// it does everywhere. Without posts the weight is zero.
func WeightOf(posts []PostUnits, tickSize uint64) (Weight, error) {
	var total Weight
	for i, post := range posts {
		ticks := Ticks(post.Leaves, tickSize)
		high, product := bits.Mul64(uint64(post.Units), ticks)
		if high != 0 {
			return Weight{}, RuleATXWeight.because("%d units by %d ticks", post.Units, ticks)
		}
		if post.Units > math.MaxUint32-total.Units {
			return Weight{}, RuleATXWeight.because("units exceed 32 bits")
		}
		total.Units += post.Units
		total.Weight += product
		if i == 0 || ticks < total.Ticks {
			total.Ticks = ticks
		}
	}
	return total, nil
}

// SumUnits adds the effective units of one NIPoST's posts; a post that would
// exceed 32 bits is left out (spec 03 §17.4).
func SumUnits(posts []uint32) uint32 {
	var sum uint32
	for _, units := range posts {
		if units <= math.MaxUint32-sum {
			sum += units
		}
	}
	return sum
}
