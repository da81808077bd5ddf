package fixed

import "math/bits"

// Calc does arithmetic and remembers whether anything overflowed. After an
// overflow its results mean nothing.
type Calc struct{ overflow bool }

// Err is ErrOverflow if an operation overflowed.
func (c *Calc) Err() error {
	if c.overflow {
		return ErrOverflow
	}
	return nil
}

func (c *Calc) fail() Num {
	c.overflow = true
	return Num{}
}

// signed gives the magnitude a sign, if it fits.
func (c *Calc) signed(m uint128, sign uint64) Num {
	if m.hi&signBit != 0 {
		return c.fail()
	}
	return Num{m.hi | sign, m.lo}
}

// Add is exact. Opposite numbers give +0.
func (c *Calc) Add(x, y Num) Num {
	mx, my := x.magnitude(), y.magnitude()
	if (x.hi^y.hi)&signBit == 0 {
		return c.signed(mx.add(my), x.hi&signBit)
	}
	switch {
	case mx == my:
		return Num{}
	case my.less(mx):
		return c.signed(mx.sub(my), x.hi&signBit)
	}
	return c.signed(my.sub(mx), y.hi&signBit)
}

// Sub is exact.
func (c *Calc) Sub(x, y Num) Num { return c.Add(x, y.negated()) }

// Mul cuts what lies below 2^-56.
func (c *Calc) Mul(x, y Num) Num {
	sign := (x.hi ^ y.hi) & signBit
	mx, my := x.magnitude(), y.magnitude()
	if mx.hi|my.hi == 0 {
		hi, lo := bits.Mul64(mx.lo, my.lo)
		p := uint128{hi, lo}.shr(FractionBits)
		return Num{p.hi | sign, p.lo}
	}
	return c.wideMul(mx, my, sign)
}

// wideMul keeps the bits 56 to 182 of a 254-bit product.
func (c *Calc) wideMul(x, y uint128, sign uint64) Num {
	h0, w0 := bits.Mul64(x.lo, y.lo)
	h1, l1 := bits.Mul64(x.lo, y.hi)
	h2, l2 := bits.Mul64(x.hi, y.lo)
	h3, l3 := bits.Mul64(x.hi, y.hi)
	w1, carry := bits.Add64(h0, l1, 0)
	w2, carry := bits.Add64(h1, h2, carry)
	w3 := h3 + carry
	w1, carry = bits.Add64(w1, l2, 0)
	w2, carry = bits.Add64(w2, l3, carry)
	w3 += carry
	if w3 != 0 || w2>>(FractionBits-1) != 0 {
		return c.fail()
	}
	return Num{
		w2<<(64-FractionBits) | w1>>FractionBits | sign,
		w1<<(64-FractionBits) | w0>>FractionBits,
	}
}

// Div is the division of the magnitudes by the protocol's rule; division by
// zero overflows.
func (c *Calc) Div(x, y Num) Num {
	return c.signed(c.divide(x.magnitude(), y.magnitude()), (x.hi^y.hi)&signBit)
}

// DivUint64 is DIVU of spec 05 §2.6: a/b for integers.
func (c *Calc) DivUint64(a, b uint64) Num {
	return c.signed(c.divide(uint128{lo: a}.shl(FractionBits), uint128{lo: b}.shl(FractionBits)), 0)
}

func (c *Calc) inverse(x Num) Num { return c.Div(One, x) }

// divide is UDIV of spec 05 §2.6, for magnitudes below 2^127.
func (c *Calc) divide(u, v uint128) uint128 {
	if v == (uint128{}) {
		c.overflow = true
		return uint128{}
	}
	if u.hi < 1<<(127-FractionBits-64) {
		q, _ := quotient(u.shl(FractionBits), v)
		return q
	}
	q, r := quotient(u, v)
	if q.bitLen() > 127-FractionBits {
		c.overflow = true
		return uint128{}
	}
	k := uint(FractionBits)
	if r.hi != 0 {
		k = min(k, uint(max(bits.LeadingZeros64(r.hi)-1, 0)))
	}
	rest, _ := quotient(r.shl(k), v.shr(FractionBits-k))
	return q.shl(FractionBits).add(rest)
}

// quotient is QUO of spec 05 §2.6. Its remainder may equal the divisor: with a
// divisor above 64 bits an exact quotient comes out one short.
func quotient(u, v uint128) (q, r uint128) {
	if v.hi == 0 {
		q.hi, r.lo = u.hi/v.lo, u.hi%v.lo
		q.lo, r.lo = bits.Div64(r.lo, u.lo, v.lo)
		return q, r
	}
	n := uint(bits.LeadingZeros64(v.hi))
	w := v.shl(n).hi
	var t uint64
	if u.hi < w {
		t, _ = bits.Div64(u.hi, u.lo, w)
		t >>= 64 - n
	}
	if t > 0 {
		t--
	}
	r = u.sub(v.times(t))
	if v.less(r) {
		t++
		r = r.sub(v)
	}
	return uint128{lo: t}, r
}
