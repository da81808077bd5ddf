package post

import (
	"encoding/binary"
	"math/bits"
)

// IndexBits is how many bits an index takes. For a power of two it is one more
// than needed (spec 02 §8).
func IndexBits(numLabels uint64) int { return bits.Len64(numLabels) }

// PackedLen is the length in bytes of count indices of width bits.
func PackedLen(count uint64, width int) uint64 {
	return (count*uint64(width) + 7) / 8
}

// PackIndices writes the low width bits of every index, least significant bit
// first, without gaps; the rest of the last byte is zero.
func PackIndices(indices []uint64, width int) []byte {
	out := make([]byte, PackedLen(uint64(len(indices)), width))
	for m, index := range indices {
		for b := range width {
			pos := m*width + b
			out[pos/8] |= byte(index>>b&1) << (pos % 8)
		}
	}
	return out
}

// UnpackIndex reads the index at an ordinal; ok is false when the bytes end
// before it does or the width is not 1…64.
func UnpackIndex(packed []byte, width, ordinal int) (index uint64, ok bool) {
	if width <= 0 || width > 64 || ordinal < 0 || ordinal >= len(packed)*8/width {
		return 0, false
	}
	pos := ordinal * width
	var window [16]byte
	copy(window[:], packed[pos/8:])
	shift := pos % 8
	index = binary.LittleEndian.Uint64(window[:]) >> shift
	if shift > 0 {
		index |= binary.LittleEndian.Uint64(window[8:]) << (64 - shift)
	}
	if width < 64 {
		index &= 1<<width - 1
	}
	return index, true
}

// UnpackIndices reads every complete index, which may be more than were packed
// when the padding is long enough for one.
func UnpackIndices(packed []byte, width int) []uint64 {
	if width <= 0 || width > 64 {
		return nil
	}
	out := make([]uint64, 0, len(packed)*8/width)
	for m := 0; ; m++ {
		index, ok := UnpackIndex(packed, width, m)
		if !ok {
			return out
		}
		out = append(out, index)
	}
}
