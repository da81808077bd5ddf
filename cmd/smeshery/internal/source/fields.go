package source

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// fields is one row by the names that recordings use. Reading remembers the
// first thing that is wrong and then gives zero values, so that a row is read
// without a check after each field.
type fields struct {
	place  Place
	values map[string]any
	// plain strings are bytes; otherwise they are bytes in hex.
	plain bool
	err   error
}

// anyLength stands for a length that is not fixed.
const anyLength = -1

func (f *fields) fail(name, format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf("%s %s", name, fmt.Sprintf(format, args...))
	}
}

// find looks a value up under the first of its names that the row has.
func (f *fields) find(names []string) (any, bool) {
	for _, n := range names {
		if v, ok := f.values[n]; ok {
			return v, true
		}
	}
	f.fail(strings.Join(names, " or "), "is missing")
	return nil, false
}

// has tells whether the row has a value under a name.
func (f *fields) has(name string) bool { return f.values[name] != nil }

// bytes reads exactly n bytes, or any number of at least one.
func (f *fields) bytes(n int, names ...string) []byte {
	b := f.optionalBytes(names...)
	switch {
	case n == anyLength && len(b) == 0:
		f.fail(names[0], "is empty")
	case n != anyLength && len(b) != n:
		f.fail(names[0], "has %d bytes, not %d", len(b), n)
		return make([]byte, n)
	}
	return b
}

// optionalBytes is nil where the row has null.
func (f *fields) optionalBytes(names ...string) []byte {
	v, _ := f.find(names)
	switch v := v.(type) {
	case nil:
		return nil
	case []byte:
		return v
	case string:
		if f.plain {
			return []byte(v)
		}
		b, err := hex.DecodeString(v)
		if err != nil {
			f.fail(names[0], "is not hex: %v", err)
		}
		return b
	}
	f.fail(names[0], "is no bytes")
	return nil
}

func optionalID[T ~[24]byte | ~[32]byte](f *fields, name string) *T {
	b := f.optionalBytes(name)
	if len(b) == 0 {
		return nil
	}
	var id T
	if len(b) != len(id) {
		f.fail(name, "has %d bytes, not %d", len(b), len(id))
		return nil
	}
	for i := range b {
		id[i] = b[i]
	}
	return &id
}

// id20 reads a 20-byte id, which may be padded to 32 bytes.
func (f *fields) id20(name string) [20]byte { return f.cut20(name, f.bytesOf20(name)) }

func (f *fields) bytesOf20(name string) []byte {
	b := f.optionalBytes(name)
	if b == nil {
		f.fail(name, "is null")
	}
	return b
}

func (f *fields) cut20(name string, b []byte) (id [20]byte) {
	if len(b) != 20 && (len(b) != 32 || [12]byte(b[20:]) != [12]byte{}) {
		f.fail(name, "is no id of 20 bytes")
		return id
	}
	return [20]byte(b)
}

func (f *fields) u32(name string) uint32 {
	v := f.u64(name)
	if v > math.MaxUint32 {
		f.fail(name, "is %d, more than 32 bits", v)
	}
	return uint32(v)
}

func (f *fields) u64(names ...string) uint64 {
	v, ok := f.optional64(names...)
	if !ok {
		f.fail(names[0], "is null")
	}
	return v
}

// optional64 reads a number of 64 bits. Databases hold them signed.
func (f *fields) optional64(names ...string) (uint64, bool) {
	v, _ := f.find(names)
	switch v := v.(type) {
	case nil:
		return 0, false
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case int64:
		return uint64(v), true
	case json.Number:
		if u, err := strconv.ParseUint(v.String(), 10, 64); err == nil {
			return u, true
		}
		if i, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return uint64(i), true
		}
		f.fail(names[0], "is %s, which is no integer of 64 bits", v)
		return 0, true
	}
	f.fail(names[0], "is no number")
	return 0, true
}
