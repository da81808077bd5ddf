package fixed

import "math/bits"

// Constants of spec 05 §2.6 in units of 2^-56.
const (
	unit  = 1 << FractionBits
	half  = unit / 2
	ln2   = 0xb17217f7d1cf78
	log2e = 0x171547652b82fe0
)

// mulRound multiplies two signed numbers and rounds half up (m56).
func mulRound(x, y int64) int64 {
	hi, lo := bits.Mul64(uint64(x), uint64(y))
	hi -= uint64(x>>63)&uint64(y) + uint64(y>>63)&uint64(x)
	lo, carry := bits.Add64(lo, half, 0)
	hi += carry
	return int64(hi<<(64-FractionBits) | lo>>FractionBits)
}

// mulFloor multiplies two unsigned numbers and cuts (u56).
func mulFloor(x, y uint64) uint64 {
	hi, lo := bits.Mul64(x, y)
	return hi<<(64-FractionBits) | lo>>FractionBits
}

// log2 is the binary logarithm of x > 0, which has the given number of
// fraction bits: one squaring a bit.
func log2(x uint64, fraction int) int64 {
	if x == 1<<fraction {
		return 0
	}
	length := bits.Len64(x)
	b := int64(length-1-fraction) * unit
	a := x << (63 - min(length, 63)) >> (max(length, 63) - 63)
	for i := range FractionBits {
		hi, lo := bits.Mul64(a, a)
		a = hi<<2 | lo>>62
		if a >= 1<<63 {
			a >>= 1
			b += half >> i
		}
	}
	return b
}

// ln is the natural logarithm of x units, x > 0.
func ln(x uint64) int64 { return mulRound(log2(x, FractionBits), ln2) }

// lnInt is the natural logarithm of an integer above 0.
func lnInt(x uint64) int64 { return mulRound(log2(x, 0), ln2) }

// The coefficients g0..g6 of the series for the logarithm of gamma.
const (
	g0 = 0x6b3f8e4325f5a4
	g1 = 0x1555555555553b
	g2 = -0xb60b60b58172
	g3 = 0x34033f319e71
	g4 = -0x270197181fce
	g5 = 0x36cf7499b5ab
	g6 = -0x6ae2742e790f
)

// logGamma is LG of spec 05 §2.6, for x > 0.
func (c *Calc) logGamma(x int64) Num {
	switch {
	case x <= 0:
		return c.fail()
	case x <= 2:
		return Num{}
	case x <= 7:
		factorial := uint64(2)
		for i := uint64(3); i < uint64(x); i++ {
			factorial *= i
		}
		return Raw(lnInt(factorial))
	}
	t := lnInt(uint64(x)) - unit
	z := unit/x + 2*(unit%x)/x
	y := mulRound(z, z)
	h := int64(g6)
	h = g5 + mulRound(y, h)
	h = g4 + mulRound(y, h)
	h = g3 + mulRound(y, h)
	h = g2 + mulRound(y, h)
	h = g1 + mulRound(y, h)
	w := g0 + mulRound(z, h)
	return c.Add(c.Mul(c.Sub(Int(x), Raw(half)), Raw(t)), Raw(w))
}

const (
	lastTerm = 14
	// minExponent is the integer part below which the exponential is zero.
	minExponent = 38
)

// inverseFactorial is floor(2^56 / j!).
func inverseFactorial(j int) uint64 {
	return [lastTerm + 1]uint64{
		unit, unit, 36028797018963968, 12009599006321322, 3002399751580330,
		600479950316066, 100079991719344, 14297141674192, 1787142709274, 198571412141,
		19857141214, 1805194655, 150432887, 11571760, 826554,
	}[j]
}

// exp is EXP of spec 05 §2.6.
func (c *Calc) exp(x Num) Num {
	m := x.magnitude()
	if x.Negative() && m.shr(FractionBits).lo > minExponent {
		return Num{}
	}
	if m.hi != 0 || m.lo >= 1<<63 {
		return c.fail()
	}
	k := mulFloor(m.lo, log2e) >> FractionBits
	y := m.lo - mulFloor(k<<FractionBits, ln2)
	e, q := unit+y, y
	for j := 2; j <= lastTerm; j++ {
		q = mulFloor(q, y)
		e += mulFloor(q, inverseFactorial(j))
	}
	if x.Negative() {
		return c.shrink(c.inverse(Num{lo: e}), uint(k))
	}
	if bits.Len64(e)+int(k) > 127 {
		return c.fail()
	}
	return c.signed(uint128{lo: e}.shl(uint(k)), 0)
}

func (c *Calc) shrink(x Num, k uint) Num { return c.signed(x.magnitude().shr(k), 0) }
