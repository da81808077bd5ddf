package codec

import "sync"

// The coder escapes into Code through an interface; a pool saves the
// allocation on paths that decode thousands of messages a second.
var coders = sync.Pool{New: func() any { return new(Coder) }}

// Append appends the encoding of v to dst.
func Append(dst []byte, v Coded) ([]byte, error) {
	c := coders.Get().(*Coder)
	*c = Coder{buf: dst, depth: MaxNested}
	v.Code(c)
	out, err := c.buf, c.err
	*c = Coder{}
	coders.Put(c)
	if err != nil {
		return dst, err
	}
	return out, nil
}

// Encode returns the canonical bytes of v.
func Encode(v Coded) ([]byte, error) { return Append(nil, v) }

// MustEncode encodes a value that is within its limits by construction: one
// that was decoded, or that we built. It panics otherwise, which means that our
// own invariant is broken.
func MustEncode(v Coded) []byte {
	b, err := Append(nil, v)
	if err != nil {
		panic(err)
	}
	return b
}

// Decode reads v from b and wants b to end there (spec 01 §2.7).
func Decode(b []byte, v Coded) error {
	n, err := DecodePrefix(b, v)
	if err == nil && n != len(b) {
		return &trailing{at: n, extra: len(b) - n}
	}
	return err
}

// DecodePrefix reads v from the start of b and returns how many bytes it took.
func DecodePrefix(b []byte, v Coded) (int, error) {
	return decodeNested(b, MaxNested, v.Code)
}

// DecodeSlice reads a bare list with the slice helper's nesting limit, and
// returns how many bytes it took; what follows is not looked at (spec 01 §2.7).
func DecodeSlice(b []byte, read func(*Coder)) (int, error) {
	return decodeNested(b, MaxNestedSlice, read)
}

// AppendSlice appends a bare list with the slice helper's nesting limit.
func AppendSlice(dst []byte, write func(*Coder)) ([]byte, error) {
	c := &Coder{buf: dst, depth: MaxNestedSlice}
	write(c)
	return c.buf, c.err
}

func decodeNested(b []byte, depth int, read func(*Coder)) (int, error) {
	c := coders.Get().(*Coder)
	*c = Coder{buf: b, depth: depth, reading: true}
	read(c)
	off, err := c.off, c.err
	*c = Coder{}
	coders.Put(c)
	return off, err
}
