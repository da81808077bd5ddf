package fixed

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/bits"
)

// FractionBits is the position of the binary point.
const FractionBits = 56

// signBit sits on top of the 127 bits of magnitude.
const signBit = 1 << 63

// ErrOverflow says that a result did not fit 127 bits of magnitude, or that an
// argument is outside a function's domain.
var ErrOverflow = errors.New("fixed-point overflow")

// Num is ±magnitude/2^56. The zero value is +0; a negative zero exists and
// compares as larger than every positive number (spec 05 §2.6).
type Num struct{ hi, lo uint64 }

// One is the number 1.
var One = Num{lo: 1 << FractionBits}

// Raw is v units of 2^-56.
func Raw(v int64) Num {
	if v < 0 {
		return Num{hi: signBit, lo: -uint64(v)}
	}
	return Num{lo: uint64(v)}
}

// Int is the integer v.
func Int(v int64) Num {
	n := Raw(v)
	return Num{
		hi: n.hi | n.lo>>(64-FractionBits),
		lo: n.lo << FractionBits,
	}
}

// Fraction is the number in [0,1) that a VRF proof stands for: the low 56 bits
// of its first 8 bytes, little-endian (spec 05 §2.4).
func Fraction(first8 [8]byte) Num {
	return Num{lo: binary.LittleEndian.Uint64(first8[:]) & (1<<FractionBits - 1)}
}

// Greater compares the 128-bit words, sign bit on top, as unsigned integers.
func (n Num) Greater(m Num) bool { return m.Less(n) }

// Less compares the 128-bit words, sign bit on top, as unsigned integers.
func (n Num) Less(m Num) bool { return n.hi < m.hi || n.hi == m.hi && n.lo < m.lo }

// Negative tells the sign bit; negative zero has it set.
func (n Num) Negative() bool { return n.hi&signBit != 0 }

// IsZero tells whether the magnitude is zero.
func (n Num) IsZero() bool { return n.hi&^signBit == 0 && n.lo == 0 }

// Word saturates the 128-bit word to 64 bits: enough to compare it with a
// fraction, which has 56.
func (n Num) Word() uint64 {
	if n.hi != 0 {
		return ^uint64(0)
	}
	return n.lo
}

// Bytes is the 128-bit word, big-endian.
func (n Num) Bytes() (out [16]byte) {
	binary.BigEndian.PutUint64(out[:8], n.hi)
	binary.BigEndian.PutUint64(out[8:], n.lo)
	return out
}

// FromBytes reads what Bytes wrote.
func FromBytes(b [16]byte) Num {
	return Num{hi: binary.BigEndian.Uint64(b[:8]), lo: binary.BigEndian.Uint64(b[8:])}
}

func (n Num) String() string {
	b := n.Bytes()
	return hex.EncodeToString(b[:])
}

func (n Num) magnitude() uint128 { return uint128{n.hi &^ signBit, n.lo} }

func (n Num) negated() Num { return Num{n.hi ^ signBit, n.lo} }

// uint128 is an unsigned integer.
type uint128 struct{ hi, lo uint64 }

func (u uint128) shl(k uint) uint128 {
	if k >= 64 {
		return uint128{hi: u.lo << (k - 64)}
	}
	return uint128{u.hi<<k | u.lo>>(64-k), u.lo << k}
}

func (u uint128) shr(k uint) uint128 {
	if k >= 64 {
		return uint128{lo: u.hi >> (k - 64)}
	}
	return uint128{u.hi >> k, u.lo>>k | u.hi<<(64-k)}
}

func (u uint128) add(v uint128) (sum uint128) {
	var carry uint64
	sum.lo, carry = bits.Add64(u.lo, v.lo, 0)
	sum.hi, _ = bits.Add64(u.hi, v.hi, carry)
	return sum
}

func (u uint128) sub(v uint128) (difference uint128) {
	var borrow uint64
	difference.lo, borrow = bits.Sub64(u.lo, v.lo, 0)
	difference.hi, _ = bits.Sub64(u.hi, v.hi, borrow)
	return difference
}

func (u uint128) less(v uint128) bool { return u.hi < v.hi || u.hi == v.hi && u.lo < v.lo }

func (u uint128) bitLen() int {
	if u.hi != 0 {
		return 64 + bits.Len64(u.hi)
	}
	return bits.Len64(u.lo)
}

// times keeps the low 128 bits of the product.
func (u uint128) times(v uint64) uint128 {
	hi, lo := bits.Mul64(u.lo, v)
	return uint128{hi + u.hi*v, lo}
}
