package fixed

import "math/bits"

// word is an unsigned 128-bit integer.
type word struct{ lo, hi uint64 }

func (w word) shl(n int) word {
	if n == 0 {
		return w
	}
	if n >= 64 {
		return word{hi: w.lo << (n - 64)}
	}
	return word{lo: w.lo << n, hi: w.hi<<n | w.lo>>(64-n)}
}

func (w word) shr(n int) word {
	if n == 0 {
		return w
	}
	if n >= 64 {
		return word{lo: w.hi >> (n - 64)}
	}
	return word{lo: w.lo>>n | w.hi<<(64-n), hi: w.hi >> n}
}

func (w word) sub(v word) word {
	lo, borrow := bits.Sub64(w.lo, v.lo, 0)
	hi, _ := bits.Sub64(w.hi, v.hi, borrow)
	return word{lo: lo, hi: hi}
}

func (w word) greater(v word) bool { return w.hi > v.hi || w.hi == v.hi && w.lo > v.lo }

// quotient divides words as the reference does: for a two-word divisor it
// estimates once and corrects once, and leaves a remainder equal to the
// divisor as it is (spec 06 §8). v is not 0; the top bit of w is 0.
func (w word) quotient(v word) (q, rem word) {
	if v.hi == 0 {
		q.hi = w.hi / v.lo
		q.lo, rem.lo = bits.Div64(w.hi%v.lo, w.lo, v.lo)
		return q, rem
	}
	n := bits.LeadingZeros64(v.hi)
	d := v.shl(n).hi
	t, _ := bits.Div64(w.hi, w.lo, d)
	t >>= 64 - n
	if t != 0 {
		t--
	}
	hi, lo := bits.Mul64(v.lo, t)
	rem = w.sub(word{lo: lo, hi: hi + v.hi*t})
	if rem.greater(v) {
		t++
		rem = rem.sub(v)
	}
	return word{lo: t}, rem
}

// Div follows the reference's division, which is not the truncated quotient for
// every dividend of 32768 and more. Division by zero saturates.
func (x Number) Div(y Number) Number {
	quotient, _ := x.DivChecked(y)
	return quotient
}

// DivChecked is Div, with ok = false where it saturated.
func (x Number) DivChecked(y Number) (quotient Number, ok bool) {
	sign := (x.hi ^ y.hi) & signBit
	u, v := word{x.lo, x.hi &^ signBit}, word{y.lo, y.hi &^ signBit}
	saturated := Number{lo: Max().lo, hi: Max().hi | sign}
	if v.lo|v.hi == 0 {
		return saturated, false
	}
	if u.hi < 1<<(63-fraction) {
		q, _ := u.shl(fraction).quotient(v)
		if q.hi&signBit != 0 {
			return saturated, false
		}
		return Number{lo: q.lo, hi: q.hi | sign}, true
	}
	a, rem := u.quotient(v)
	if a.shr(127-fraction) != (word{}) {
		return saturated, false
	}
	a = a.shl(fraction)
	n := min(fraction, bits.LeadingZeros64(rem.hi)-1)
	b, _ := rem.shl(n).quotient(v.shr(fraction - n))
	return Number{lo: a.lo, hi: a.hi | sign}.AddChecked(Number{lo: b.lo, hi: b.hi&^signBit | sign})
}
