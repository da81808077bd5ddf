package codec

import "unsafe"

// Pointer is satisfied by *T when *T is Coded; it lets the helpers below
// infer the element type.
type Pointer[T any] interface {
	*T
	Coded
}

// List codes a length prefix and that many structs.
func List[T any, P Pointer[T]](c *Coder, v *[]T, limit uint32) {
	n := c.length(len(*v), limit)
	if c.enter(); c.err != nil {
		return
	}
	defer c.leave()
	if !c.reading {
		for i := range *v {
			P(&(*v)[i]).Code(c)
		}
		return
	}
	*v = makeBounded[T](n, c.remaining())
	for range n {
		if c.err != nil {
			return
		}
		*v = append(*v, *new(T))
		P(&(*v)[len(*v)-1]).Code(c)
	}
}

// FixedList codes a length prefix and that many byte arrays.
func FixedList[T ~[32]byte | ~[24]byte | ~[20]byte | ~[4]byte](c *Coder, v *[]T, limit uint32) {
	n := c.length(len(*v), limit)
	if c.enter(); c.err != nil {
		return
	}
	defer c.leave()
	var zero T
	size := len(zero)
	if !c.reading {
		for i := range *v {
			c.buf = append(c.buf, arrayBytes(&(*v)[i])...)
		}
		return
	}
	*v = nil
	whole := min(n, c.remaining()/size)
	if whole > 0 {
		*v = make([]T, whole)
		for i := range *v {
			copy(arrayBytes(&(*v)[i]), c.take(size))
		}
	}
	if whole < n {
		c.take(size)
	}
}

// CompactList codes a length prefix and that many compact 32-bit integers.
func CompactList[T ~uint32](c *Coder, v *[]T, limit uint32) {
	n := c.length(len(*v), limit)
	if c.enter(); c.err != nil {
		return
	}
	defer c.leave()
	if c.reading {
		*v = makeBounded[T](n, c.remaining())
		for range n {
			var w uint32
			if c.Compact32(&w); c.err != nil {
				return
			}
			*v = append(*v, T(w))
		}
		return
	}
	for _, w := range *v {
		c.buf = AppendCompact(c.buf, uint64(w))
	}
}

// BytesList codes a length prefix and that many byte strings. It does not
// count as nesting (spec 01 §2.6).
func BytesList(c *Coder, v *[][]byte, limit, each uint32) {
	n := c.length(len(*v), limit)
	if c.err != nil {
		return
	}
	if !c.reading {
		for i := range *v {
			c.Bytes(&(*v)[i], each)
		}
		return
	}
	*v = makeBounded[[]byte](n, c.remaining())
	for range n {
		if c.err != nil {
			return
		}
		*v = append(*v, nil)
		c.Bytes(&(*v)[len(*v)-1], each)
	}
}

// Array codes exactly len(v) structs without a length prefix.
func Array[T any, P Pointer[T]](c *Coder, v []T) {
	if c.enter(); c.err != nil {
		return
	}
	defer c.leave()
	for i := range v {
		P(&v[i]).Code(c)
	}
}

// Option codes a bool and, if it is true, the struct.
func Option[T any, P Pointer[T]](c *Coder, v **T) {
	if c.enter(); c.err != nil {
		return
	}
	defer c.leave()
	if !c.present(*v != nil) {
		*v = nil
		return
	}
	if c.reading {
		*v = new(T)
	}
	P(*v).Code(c)
}

// OptionFixed codes a bool and, if it is true, a byte array.
func OptionFixed[T ~[32]byte | ~[24]byte | ~[20]byte](c *Coder, v **T) {
	if c.enter(); c.err != nil {
		return
	}
	defer c.leave()
	if !c.present(*v != nil) {
		*v = nil
		return
	}
	if c.reading {
		*v = new(T)
	}
	c.Fixed(arrayBytes(*v))
}

// present codes the tag of an option and tells whether a value follows.
func (c *Coder) present(have bool) bool {
	c.Bool(&have)
	return have && c.err == nil
}

// makeBounded reserves room for n elements, but for no more memory than a
// small multiple of the input that is left to fill them.
func makeBounded[T any](n, remaining int) []T {
	if n == 0 {
		return nil
	}
	size := max(1, int(unsafe.Sizeof(*new(T))))
	return make([]T, 0, min(n, remaining, 4+4*remaining/size))
}

// arrayBytes views a byte array as a slice.
func arrayBytes[T ~[32]byte | ~[24]byte | ~[20]byte | ~[4]byte](v *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v))
}
