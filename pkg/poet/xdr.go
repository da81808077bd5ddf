package poet

import (
	"encoding/binary"
	"errors"
)

// ErrRecord means that a stored record is not in the format of spec 03 §9.1 or §10.3.
var ErrRecord = errors.New("malformed record")

// xdrCoder walks a record in one of two directions (RFC 4506): it appends to
// buf, or it reads from it.
type xdrCoder struct {
	buf     []byte
	reading bool
	err     error
}

func (x *xdrCoder) take(n uint64) []byte {
	if x.err != nil || uint64(len(x.buf)) < n {
		x.err = ErrRecord
		return nil
	}
	taken := x.buf[:n:n]
	x.buf = x.buf[n:]
	return taken
}

func (x *xdrCoder) u32(v *uint32) {
	if !x.reading {
		x.buf = binary.BigEndian.AppendUint32(x.buf, *v)
	} else if b := x.take(4); b != nil {
		*v = binary.BigEndian.Uint32(b)
	}
}

func (x *xdrCoder) u64(v *uint64) {
	if !x.reading {
		x.buf = binary.BigEndian.AppendUint64(x.buf, *v)
	} else if b := x.take(8); b != nil {
		*v = binary.BigEndian.Uint64(b)
	}
}

func (x *xdrCoder) boolean(v *bool) {
	var n uint32
	if *v {
		n = 1
	}
	x.u32(&n)
	if n > 1 {
		x.err = ErrRecord
	}
	*v = n == 1
}

func (x *xdrCoder) opaque(v *[]byte) {
	n := uint32(len(*v))
	x.u32(&n)
	padding := uint64(-n % 4)
	if !x.reading {
		x.buf = append(x.buf, *v...)
		x.buf = append(x.buf, make([]byte, padding)...)
		return
	}
	padded := x.take(uint64(n) + padding)
	if x.err != nil {
		return
	}
	for _, b := range padded[n:] {
		if b != 0 {
			x.err = ErrRecord
		}
	}
	*v = append([]byte(nil), padded[:n]...)
}

func (x *xdrCoder) text(v *string) {
	raw := []byte(*v)
	x.opaque(&raw)
	*v = string(raw)
}

func (x *xdrCoder) opaques(v *[][]byte) {
	n := uint32(len(*v))
	x.u32(&n)
	if !x.reading {
		for i := range *v {
			x.opaque(&(*v)[i])
		}
		return
	}
	*v = nil
	// Every element takes at least its length, which bounds the loop by the input.
	for range n {
		var element []byte
		if x.opaque(&element); x.err != nil {
			return
		}
		*v = append(*v, element)
	}
}

type xdrRecord interface{ code(x *xdrCoder) }

func encodeXDR(r xdrRecord) []byte {
	var x xdrCoder
	r.code(&x)
	return x.buf
}

func decodeXDR(raw []byte, r xdrRecord) error {
	x := xdrCoder{buf: raw, reading: true}
	if r.code(&x); x.err == nil && len(x.buf) > 0 {
		x.err = ErrRecord
	}
	return x.err
}
