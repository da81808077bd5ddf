package rewards

import "math/big"

// Issuance in smidge (spec 07 §7.4).
const (
	// Pool is everything that layers will ever issue.
	Pool = 2_250_000_000_000_000_000
	// horizon is the number of layers over which a fifth of the pool is issued:
	// ten years of 105120 layers, and the effective genesis layer.
	horizon = 10*105120 + 1
)

// precision is the number of fractional bits in which the curve is computed.
// A power of the per-layer factor to 2^32 layers loses some 40 of them, and a
// result has 61 integer bits.
const precision = 320

// Schedule is the issuance curve. It is immutable and may be shared.
type Schedule struct {
	// factors[k] is 0.8^(2^k/horizon) in fixed point.
	factors [33]*big.Int
}

// NewSchedule computes the curve's constants.
func NewSchedule() *Schedule {
	s := &Schedule{}
	s.factors[0] = layerFactor()
	for k := 1; k < len(s.factors); k++ {
		s.factors[k] = mulFixed(s.factors[k-1], s.factors[k-1])
	}
	return s
}

// Accumulated is what layers up to and including layer i have issued, in
// smidge; i counts from the first effective genesis (spec 07 §7.4).
func (s *Schedule) Accumulated(i uint32) uint64 {
	n := uint64(i) + 1
	left := one()
	for k := range s.factors {
		if n>>k&1 == 1 {
			left = mulFixed(left, s.factors[k])
		}
	}
	issued := one()
	issued.Sub(issued, left)
	issued.Mul(issued, new(big.Int).SetUint64(Pool))
	return issued.Rsh(issued, precision).Uint64()
}

// Subsidy is what layer i issues, in smidge.
func (s *Schedule) Subsidy(i uint32) uint64 {
	if i == 0 {
		return s.Accumulated(0)
	}
	return s.Accumulated(i) - s.Accumulated(i-1)
}

// layerFactor is what is left of the pool after one layer: exp(-ln(5/4)/horizon).
func layerFactor() *big.Int {
	rate := logFiveQuarters()
	rate.Div(rate, big.NewInt(horizon))
	sum, term := one(), one()
	for n := int64(1); term.Sign() != 0; n++ {
		term = mulFixed(term, rate)
		term.Div(term, big.NewInt(n))
		if n%2 == 1 {
			sum.Sub(sum, term)
		} else {
			sum.Add(sum, term)
		}
	}
	return sum
}

// logFiveQuarters is ln(5/4) = 2·artanh(1/9) by its series.
func logFiveQuarters() *big.Int {
	power := one()
	power.Div(power, big.NewInt(9))
	sum := new(big.Int)
	for n := int64(1); power.Sign() != 0; n += 2 {
		sum.Add(sum, new(big.Int).Div(power, big.NewInt(n)))
		power.Div(power, big.NewInt(81))
	}
	return sum.Lsh(sum, 1)
}

func one() *big.Int { return new(big.Int).Lsh(big.NewInt(1), precision) }

func mulFixed(a, b *big.Int) *big.Int {
	p := new(big.Int).Mul(a, b)
	return p.Rsh(p, precision)
}
