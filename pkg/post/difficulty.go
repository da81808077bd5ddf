package post

import (
	"encoding/binary"
	"math/bits"
)

// Difficulty is what the 64-bit value of a good label stays below (spec 02 §7.2).
type Difficulty uint64

// ProvingDifficulty is ⌊2^64·k1/numLabels⌋. Data of k1 labels or fewer breaks
// RuleNumLabels.
func ProvingDifficulty(k1 uint32, numLabels uint64) (Difficulty, error) {
	if numLabels <= uint64(k1) {
		return 0, broken(RuleNumLabels, "%d labels for k1 %d", numLabels, k1)
	}
	d, _ := bits.Div64(uint64(k1), 0, numLabels)
	return Difficulty(d), nil
}

const lsbMask = 1<<56 - 1

// Msb is the byte that the group cipher is compared with.
func (d Difficulty) Msb() byte { return byte(d >> 56) }

// Lsb are the 56 bits that the lazy cipher is compared with.
func (d Difficulty) Lsb() uint64 { return uint64(d) & lsbMask }

// ScalePowDifficulty divides a big-endian difficulty by the number of units
// (spec 02 §7.2). It fails with ErrNumUnits on zero units.
func ScalePowDifficulty(difficulty [32]byte, numUnits uint32) ([32]byte, error) {
	if numUnits == 0 {
		return [32]byte{}, ErrNumUnits
	}
	var out [32]byte
	rem := uint64(0)
	for i := 0; i < 32; i += 8 {
		var q uint64
		q, rem = bits.Div64(rem, binary.BigEndian.Uint64(difficulty[i:]), uint64(numUnits))
		binary.BigEndian.PutUint64(out[i:], q)
	}
	return out, nil
}
