package rewards

import (
	"errors"
	"fmt"
	"math/big"
	"math/bits"

	"github.com/smeshery/smeshery/pkg/wire"
)

// ErrWeight says that a share's denominator or all weights together are zero.
// Blocks with such weights are refused before they get here (spec 07 §7.2).
var ErrWeight = errors.New("reward weights have no positive sum")

// Share is one identity's claim on a layer, of weight Num/Denom.
type Share struct {
	Smesher    wire.NodeID
	Coinbase   wire.Address
	Num, Denom uint64
}

// Amount is what a share gets, in smidge.
type Amount struct {
	// Total is the share of subsidy and fees.
	Total uint64
	// Layer is the share of the subsidy alone.
	Layer uint64
}

// Distribute splits subsidy and fees over shares, in their order. The sum of
// subsidy and fees wraps at 2^64. No shares means that all is burnt.
func Distribute(subsidy, fees uint64, shares []Share) ([]Amount, error) {
	if len(shares) == 0 {
		return nil, nil
	}
	common, same, positive := shares[0].Denom, true, false
	for i := range shares {
		if shares[i].Denom == 0 {
			return nil, fmt.Errorf("%w: %d/0 of %v", ErrWeight, shares[i].Num, shares[i].Smesher)
		}
		same = same && shares[i].Denom == common
		positive = positive || shares[i].Num > 0
	}
	if !positive {
		return nil, ErrWeight
	}
	out := make([]Amount, len(shares))
	if same && distributeSame(out, subsidy, subsidy+fees, shares) {
		return out, nil
	}
	distributeAny(out, subsidy, subsidy+fees, shares)
	return out, nil
}

// distributeSame handles shares over one denominator, which then cancels out.
// It gives up when the numerators' sum does not fit 64 bits.
func distributeSame(out []Amount, subsidy, total uint64, shares []Share) bool {
	var sum, carry uint64
	for i := range shares {
		if sum, carry = bits.Add64(sum, shares[i].Num, 0); carry != 0 {
			return false
		}
	}
	for i := range shares {
		out[i] = Amount{
			Total: portion(total, shares[i].Num, sum),
			Layer: portion(subsidy, shares[i].Num, sum),
		}
	}
	return true
}

// portion is floor(amount·num/sum) for num <= sum.
func portion(amount, num, sum uint64) uint64 {
	if num == sum {
		return amount
	}
	high, low := bits.Mul64(amount, num)
	quotient, _ := bits.Div64(high, low, sum)
	return quotient
}

// distributeAny brings all weights to a common denominator once, so that every
// share costs one multiplication and one division.
func distributeAny(out []Amount, subsidy, total uint64, shares []Share) {
	common := commonDenominator(shares)
	numerators := make([]*big.Int, len(shares))
	sum := new(big.Int)
	for i := range shares {
		n := new(big.Int).SetUint64(shares[i].Denom)
		n.Quo(common, n)
		numerators[i] = n.Mul(n, new(big.Int).SetUint64(shares[i].Num))
		sum.Add(sum, n)
	}
	amount := new(big.Int)
	for i, n := range numerators {
		out[i] = Amount{
			Total: bigPortion(amount, total, n, sum),
			Layer: bigPortion(amount, subsidy, n, sum),
		}
	}
}

func bigPortion(scratch *big.Int, amount uint64, num, sum *big.Int) uint64 {
	scratch.SetUint64(amount)
	scratch.Mul(scratch, num)
	return scratch.Quo(scratch, sum).Uint64()
}

// commonDenominator is the least common multiple of the denominators.
func commonDenominator(shares []Share) *big.Int {
	common := big.NewInt(1)
	var remainder, denom, quotient big.Int
	for i := range shares {
		denom.SetUint64(shares[i].Denom)
		quotient.QuoRem(common, &denom, &remainder)
		g := gcd(shares[i].Denom, remainder.Uint64())
		common.Mul(common, denom.SetUint64(shares[i].Denom/g))
	}
	return common
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
