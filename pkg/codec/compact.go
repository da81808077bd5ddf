package codec

import (
	"encoding/binary"
	"math/bits"
)

// Smallest values of the compact modes (spec 01 §2.2): a value below the
// minimum of its mode is not minimal and refused.
const (
	minTwo  = 1 << 6
	minFour = 1 << 14
	minWide = 1 << 30
)

// Compact8 codes a compact integer limited to 8 bits.
func (c *Coder) Compact8(v *uint8) {
	w := uint64(*v)
	if c.compact(&w, 8); c.reading && c.err == nil {
		*v = uint8(w)
	}
}

// Compact16 codes a compact integer limited to 16 bits.
func (c *Coder) Compact16(v *uint16) {
	w := uint64(*v)
	if c.compact(&w, 16); c.reading && c.err == nil {
		*v = uint16(w)
	}
}

// Compact32 codes a compact integer limited to 32 bits.
func (c *Coder) Compact32(v *uint32) {
	w := uint64(*v)
	if c.compact(&w, 32); c.reading && c.err == nil {
		*v = uint32(w)
	}
}

// Compact64 codes a compact integer of up to 64 bits.
func (c *Coder) Compact64(v *uint64) { c.compact(v, 64) }

// OptionalCompact64 codes a bool and, if it is true, a compact integer. The
// pair does not count as nesting (spec 01 §2.6).
func (c *Coder) OptionalCompact64(v **uint64) {
	if !c.present(*v != nil) {
		*v = nil
		return
	}
	if c.reading {
		*v = new(uint64)
	}
	c.Compact64(*v)
}

func (c *Coder) compact(v *uint64, width int) {
	switch {
	case c.err != nil:
	case c.reading:
		*v = c.readCompact(width)
	default:
		c.buf = AppendCompact(c.buf, *v)
	}
}

// AppendCompact appends the minimal compact form of v.
func AppendCompact(dst []byte, v uint64) []byte {
	switch {
	case v < minTwo:
		return append(dst, byte(v)<<2)
	case v < minFour:
		return binary.LittleEndian.AppendUint16(dst, uint16(v)<<2|1)
	case v < minWide:
		return binary.LittleEndian.AppendUint32(dst, uint32(v)<<2|2)
	}
	n := (bits.Len64(v) + 7) / 8
	dst = append(dst, byte(n-4)<<2|3)
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	return append(dst, b[:n]...)
}

// readCompact implements the table of spec 01 §2.3.
func (c *Coder) readCompact(width int) uint64 {
	head := c.take(1)
	if head == nil {
		return 0
	}
	var raw [8]byte
	switch mode := head[0] & 3; mode {
	case 0:
		return uint64(head[0] >> 2)
	case 1:
		raw[0] = head[0]
		copy(raw[1:2], c.take(1))
		return c.inRange(binary.LittleEndian.Uint64(raw[:])>>2, minTwo, widthMax(width, minFour-1))
	case 2:
		if width == 8 {
			c.Fail(ErrCompactOverflow)
			return 0
		}
		raw[0] = head[0]
		copy(raw[1:4], c.take(3))
		return c.inRange(binary.LittleEndian.Uint64(raw[:])>>2, minFour, widthMax(width, minWide-1))
	}
	if width <= 16 {
		c.Fail(ErrCompactOverflow)
		return 0
	}
	n := int(head[0]>>2) + 4
	if n > width/8 {
		c.Fail(ErrCompactWidth)
		return 0
	}
	copy(raw[:n], c.take(n))
	return c.inRange(binary.LittleEndian.Uint64(raw[:]), minWide, widthMax(width, 1<<64-1))
}

func widthMax(width int, mode uint64) uint64 {
	if width < 64 {
		return min(mode, 1<<width-1)
	}
	return mode
}

func (c *Coder) inRange(v, low, high uint64) uint64 {
	if c.err == nil && (v < low || v > high) {
		c.Fail(ErrCompactRange)
	}
	if c.err != nil {
		return 0
	}
	return v
}
