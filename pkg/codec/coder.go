package codec

import (
	"encoding/binary"
	"fmt"
)

// Limits of spec 01 §2.5 and §2.6.
const (
	// DefaultLimit bounds byte strings and lists that declare no limit.
	DefaultLimit = 1 << 20
	// MaxNested is how deep lists, arrays and options of structs may nest in a message.
	MaxNested = 6
	// MaxNestedSlice is the same for the slice-only helpers.
	MaxNestedSlice = 4
)

// Coded is a type that describes its wire layout.
type Coded interface {
	// Code visits every field in wire order. It must make the same calls
	// in the same order for encoding and decoding, but may branch on fields
	// visited before.
	Code(c *Coder)
}

// Coder walks a description in one of two directions: it appends to buf, or
// it reads from buf at off.
type Coder struct {
	buf     []byte
	off     int
	depth   int
	reading bool
	err     error
}

// Reading tells whether the coder decodes.
func (c *Coder) Reading() bool { return c.reading }

// Err is the first error met, or nil.
func (c *Coder) Err() error { return c.err }

// Fail makes the coder stop with err, unless it failed before.
func (c *Coder) Fail(err error) {
	if c.err != nil {
		return
	}
	if c.reading {
		err = fmt.Errorf("at byte %d: %w", c.off, err)
	}
	c.err = err
}

// take returns the next n bytes of the input, or nil after failing with ErrEOF.
func (c *Coder) take(n int) []byte {
	if c.err != nil {
		return nil
	}
	if len(c.buf)-c.off < n {
		c.off = len(c.buf)
		c.Fail(ErrEOF)
		return nil
	}
	b := c.buf[c.off : c.off+n : c.off+n]
	c.off += n
	return b
}

// remaining is the number of unread bytes.
func (c *Coder) remaining() int { return len(c.buf) - c.off }

// Fixed codes len(p) raw bytes without a length prefix.
func (c *Coder) Fixed(p []byte) {
	if c.err != nil {
		return
	}
	if !c.reading {
		c.buf = append(c.buf, p...)
		return
	}
	copy(p, c.take(len(p)))
}

// U8 codes one plain byte.
func (c *Coder) U8(v *uint8) {
	if c.err != nil {
		return
	}
	if !c.reading {
		c.buf = append(c.buf, *v)
		return
	}
	if b := c.take(1); b != nil {
		*v = b[0]
	}
}

// U16 codes a fixed-width little-endian integer.
func (c *Coder) U16(v *uint16) {
	var b [2]byte
	binary.LittleEndian.PutUint16(b[:], *v)
	if c.Fixed(b[:]); c.reading && c.err == nil {
		*v = binary.LittleEndian.Uint16(b[:])
	}
}

// U32 codes a fixed-width little-endian integer.
func (c *Coder) U32(v *uint32) {
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], *v)
	if c.Fixed(b[:]); c.reading && c.err == nil {
		*v = binary.LittleEndian.Uint32(b[:])
	}
}

// U64 codes a fixed-width little-endian integer.
func (c *Coder) U64(v *uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], *v)
	if c.Fixed(b[:]); c.reading && c.err == nil {
		*v = binary.LittleEndian.Uint64(b[:])
	}
}

// Bool codes one byte. Everything but 1 decodes as false (spec 01 §2.4).
func (c *Coder) Bool(v *bool) {
	var b uint8
	if *v {
		b = 1
	}
	if c.U8(&b); c.reading && c.err == nil {
		*v = b == 1
	}
}

// Bytes codes a byte string of at most limit bytes. Empty and nil are the
// same; decoding gives nil for both.
func (c *Coder) Bytes(v *[]byte, limit uint32) {
	n := c.length(len(*v), limit)
	if c.err != nil {
		return
	}
	if !c.reading {
		c.buf = append(c.buf, *v...)
		return
	}
	*v = nil
	if b := c.take(n); len(b) > 0 {
		*v = append(make([]byte, 0, n), b...)
	}
}

// String codes a byte string as text; UTF-8 validity is not looked at.
func (c *Coder) String(v *string, limit uint32) {
	n := c.length(len(*v), limit)
	if c.err != nil {
		return
	}
	if !c.reading {
		c.buf = append(c.buf, *v...)
		return
	}
	*v = string(c.take(n))
}

// length codes a length prefix and checks it against the limit, in both directions.
func (c *Coder) length(have int, limit uint32) int {
	if c.err != nil {
		return 0
	}
	n := uint32(have)
	if !c.reading && uint64(have) > uint64(limit) {
		c.Fail(fmt.Errorf("%w: %d of at most %d", ErrTooManyElements, have, limit))
		return 0
	}
	c.Compact32(&n)
	if c.err == nil && n > limit {
		c.Fail(fmt.Errorf("%w: %d of at most %d", ErrTooManyElements, n, limit))
	}
	if c.err != nil {
		return 0
	}
	return int(n)
}

// enter counts one level of nesting; leave undoes it.
func (c *Coder) enter() {
	if c.depth == 0 {
		c.Fail(ErrNestedTooDeep)
		return
	}
	c.depth--
}

func (c *Coder) leave() { c.depth++ }
