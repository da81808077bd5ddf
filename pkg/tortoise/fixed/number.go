package fixed

import (
	"encoding/binary"
	"math"
	"math/bits"
)

const (
	signBit  = uint64(1) << 63
	fraction = 56
)

// Number is ±(hi·2^64 + lo) / 2^56; the sign is the top bit of hi.
type Number struct{ lo, hi uint64 }

// Max is the largest magnitude: where overflow ends.
func Max() Number { return Number{lo: math.MaxUint64, hi: signBit - 1} }

// FromUint64 is v.
func FromUint64(v uint64) Number {
	return Number{lo: v << fraction, hi: v >> (64 - fraction)}
}

// FromInt64 is v.
func FromInt64(v int64) Number {
	if v < 0 {
		return FromUint64(-uint64(v)).Neg()
	}
	return FromUint64(uint64(v))
}

// FromBits makes a number of the two words of its serialised form.
func FromBits(lo, hi uint64) Number { return Number{lo: lo, hi: hi} }

// Bits are the words of the serialised form (spec 06 §8).
func (x Number) Bits() (lo, hi uint64) { return x.lo, x.hi }

// AppendBinary appends the serialised form: 16 bytes, low word first.
func (x Number) AppendBinary(dst []byte) ([]byte, error) {
	dst = binary.LittleEndian.AppendUint64(dst, x.lo)
	return binary.LittleEndian.AppendUint64(dst, x.hi), nil
}

// FromBytes reads the serialised form.
func FromBytes(b [16]byte) Number {
	return Number{lo: binary.LittleEndian.Uint64(b[:8]), hi: binary.LittleEndian.Uint64(b[8:])}
}

// IsZero tells whether the magnitude is zero.
func (x Number) IsZero() bool { return x.lo == 0 && x.hi&^signBit == 0 }

// Sign is -1, 0 or +1.
func (x Number) Sign() int {
	switch {
	case x.IsZero():
		return 0
	case x.hi&signBit != 0:
		return -1
	}
	return 1
}

// Neg flips the sign, of zero too.
func (x Number) Neg() Number { return Number{lo: x.lo, hi: x.hi ^ signBit} }

// Abs drops the sign.
func (x Number) Abs() Number { return Number{lo: x.lo, hi: x.hi &^ signBit} }

// Greater compares the words with the sign as their top bit, as the reference
// does: it is the order of numbers only where neither is negative.
func (x Number) Greater(y Number) bool {
	if x.hi != y.hi {
		return x.hi > y.hi
	}
	return x.lo > y.lo
}

// Add is exact; a magnitude beyond Max stays at Max.
func (x Number) Add(y Number) Number {
	sum, _ := x.AddChecked(y)
	return sum
}

// Sub is x + (-y).
func (x Number) Sub(y Number) Number { return x.Add(y.Neg()) }

// AddChecked is Add, with ok = false where it saturated.
func (x Number) AddChecked(y Number) (sum Number, ok bool) {
	xs, ys := x.hi&signBit, y.hi&signBit
	xh, yh := x.hi&^signBit, y.hi&^signBit
	if xs == ys {
		lo, carry := bits.Add64(x.lo, y.lo, 0)
		hi := xh + yh + carry
		if hi&signBit != 0 {
			return Number{lo: math.MaxUint64, hi: math.MaxUint64&^signBit&(signBit-1) | xs}, false
		}
		return Number{lo: lo, hi: hi | xs}, true
	}
	lo, borrow := bits.Sub64(x.lo, y.lo, 0)
	hi, borrow := bits.Sub64(xh, yh, borrow)
	if borrow == 0 {
		if lo|hi == 0 {
			return Number{}, true
		}
		return Number{lo: lo, hi: hi | xs}, true
	}
	lo, borrow = bits.Sub64(0, lo, 0)
	hi, _ = bits.Sub64(0, hi, borrow)
	return Number{lo: lo, hi: hi | ys}, true
}

// Mul truncates the product; a magnitude beyond Max stays at Max.
func (x Number) Mul(y Number) Number {
	product, _ := x.MulChecked(y)
	return product
}

// MulChecked is Mul, with ok = false where it saturated.
func (x Number) MulChecked(y Number) (product Number, ok bool) {
	sign := (x.hi ^ y.hi) & signBit
	xh, yh := x.hi&^signBit, y.hi&^signBit
	w1, w0 := bits.Mul64(x.lo, y.lo)
	h1, l1 := bits.Mul64(x.lo, yh)
	h2, l2 := bits.Mul64(xh, y.lo)
	h3, l3 := bits.Mul64(xh, yh)
	w1, c1 := bits.Add64(w1, l1, 0)
	w1, c2 := bits.Add64(w1, l2, 0)
	w2, c3 := bits.Add64(h1, h2, c1)
	w2, c4 := bits.Add64(w2, l3, c2)
	w3 := h3 + c3 + c4
	lo := w0>>fraction | w1<<(64-fraction)
	hi := w1>>fraction | w2<<(64-fraction)
	if w3 != 0 || w2>>fraction != 0 || hi&signBit != 0 {
		return Number{lo: math.MaxUint64, hi: (signBit - 1) | sign}, false
	}
	return Number{lo: lo, hi: hi | sign}, true
}

// Float is the next double towards zero.
func (x Number) Float() float64 {
	hi, lo := x.hi&^signBit, x.lo
	shift := 0
	if n := bits.Len64(hi); n > 0 {
		// Keep 64 significant bits; those below cannot reach the top 53.
		lo = hi<<(64-n) | lo>>n
		shift = n
	}
	if n := bits.Len64(lo); n > 53 {
		lo &^= 1<<(n-53) - 1
	}
	f := math.Ldexp(float64(lo), shift-fraction)
	if x.hi&signBit != 0 {
		return -f
	}
	return f
}

// Crosses says where x stands to a threshold: +1 above it, -1 below its
// negative, else 0 (spec 06 §9.7).
func (x Number) Crosses(threshold Number) int {
	switch sign := x.Sign(); {
	case sign > 0 && x.Greater(threshold):
		return 1
	case sign < 0 && x.Abs().Greater(threshold):
		return -1
	}
	return 0
}
