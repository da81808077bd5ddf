package codec

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
)

type hash32 [32]byte

func (h *hash32) Code(c *Coder) { c.Fixed(h[:]) }

type nested struct{ next *nested }

func (n *nested) Code(c *Coder) { Option(c, &n.next) }

func (n *nested) depth() (d int) {
	for ; n.next != nil; n = n.next {
		d++
	}
	return d
}

func nestedOf(depth int) *nested {
	n := &nested{}
	for range depth {
		n = &nested{next: n}
	}
	return n
}

type one struct{ code func(c *Coder) }

func (o one) Code(c *Coder) { o.code(c) }

var classes = map[string]error{
	"eof": ErrEOF, "trailing_bytes": ErrTrailingBytes, "too_many_elements": ErrTooManyElements,
	"nested_too_deep": ErrNestedTooDeep, "compact_out_of_range": ErrCompactRange,
	"compact_overflow": ErrCompactOverflow, "compact_width": ErrCompactWidth,
}

type scaleCase struct {
	Kind     string          `json:"kind"`
	Value    json.RawMessage `json:"value"`
	Encoded  vectors.Hex     `json:"encoded"`
	Error    *string         `json:"error"`
	Consumed int             `json:"consumed"`
}

func (c scaleCase) number(t *testing.T) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(strings.Trim(string(c.Value), `"`), 10, 64)
	require.NoError(t, err)
	return n
}

func (c scaleCase) text(t *testing.T) string {
	t.Helper()
	var s string
	require.NoError(t, json.Unmarshal(c.Value, &s))
	return s
}

func hexes(t *testing.T, raw json.RawMessage) (out []hash32) {
	t.Helper()
	var list []vectors.Hex
	require.NoError(t, json.Unmarshal(raw, &list))
	for _, h := range list {
		out = append(out, hash32(h))
	}
	return out
}

// coding gives the description of a kind, over the stated value or over a zero
// one, and a way to see what it holds.
func (c scaleCase) coding(t *testing.T, kind string, load bool) (func(*Coder), func() any) {
	t.Helper()
	limit := uint32(DefaultLimit)
	if base, n, ok := strings.Cut(kind, "_limit_"); ok {
		v, err := strconv.Atoi(n)
		require.NoError(t, err)
		kind, limit = base, uint32(v)
	} else if kind == "bytes" || kind == "string" {
		limit = 100
	}
	number := func() uint64 {
		if load {
			return c.number(t)
		}
		return 0
	}
	switch kind {
	case "compact8":
		v := uint8(number())
		return func(c *Coder) { c.Compact8(&v) }, func() any { return uint64(v) }
	case "compact16":
		v := uint16(number())
		return func(c *Coder) { c.Compact16(&v) }, func() any { return uint64(v) }
	case "compact32":
		v := uint32(number())
		return func(c *Coder) { c.Compact32(&v) }, func() any { return uint64(v) }
	case "compact64":
		v := number()
		return func(c *Coder) { c.Compact64(&v) }, func() any { return v }
	case "fixed_u16":
		v := uint16(number())
		return func(c *Coder) { c.U16(&v) }, func() any { return uint64(v) }
	case "fixed_u32":
		v := uint32(number())
		return func(c *Coder) { c.U32(&v) }, func() any { return uint64(v) }
	case "fixed_u64":
		v := number()
		return func(c *Coder) { c.U64(&v) }, func() any { return v }
	case "bool":
		v := false
		return func(c *Coder) { c.Bool(&v) }, func() any { return v }
	case "bytes":
		var v []byte
		if load {
			var h vectors.Hex
			require.NoError(t, json.Unmarshal(c.Value, &h))
			v = h
		}
		return func(c *Coder) { c.Bytes(&v, limit) }, func() any { return vectors.Hex(v).String() }
	case "string":
		var v string
		if load {
			v = c.text(t)
		}
		return func(c *Coder) { c.String(&v, limit) }, func() any { return v }
	case "u16_slice", "u32_slice":
		var v []uint32
		if load {
			require.NoError(t, json.Unmarshal(c.Value, &v))
		}
		return func(c *Coder) { CompactList(c, &v, limit) }, func() any { return v }
	case "u64_slice":
		var v []vectors.Uint64
		if load {
			require.NoError(t, json.Unmarshal(c.Value, &v))
		}
		items := make([]compact64, len(v))
		for i := range v {
			items[i] = compact64(v[i])
		}
		return func(c *Coder) { List(c, &items, limit) }, func() any { return items }
	case "string_slice":
		var v []string
		if load {
			require.NoError(t, json.Unmarshal(c.Value, &v))
		}
		items := make([][]byte, len(v))
		for i := range v {
			items[i] = []byte(v[i])
		}
		return func(c *Coder) { BytesList(c, &items, limit, DefaultLimit) }, func() any { return joined(items) }
	case "struct_slice_hash32":
		var v []hash32
		if load {
			v = hexes(t, c.Value)
		}
		return func(c *Coder) { List(c, &v, limit) }, func() any { return v }
	case "struct_array_hash32":
		v := make([]hash32, len(c.Encoded)/32)
		if load {
			v = hexes(t, c.Value)
		}
		return func(c *Coder) { Array(c, v) }, func() any { return v }
	case "option_hash32":
		var v *hash32
		if load && string(c.Value) != "null" {
			var raw vectors.Hex
			require.NoError(t, json.Unmarshal(c.Value, &raw))
			h := hash32(raw)
			v = &h
		}
		return func(c *Coder) { Option(c, &v) }, func() any { return v }
	case "option_compact64":
		var v *uint64
		if load && string(c.Value) != "null" {
			n := c.number(t)
			v = &n
		}
		return func(c *Coder) { c.OptionalCompact64(&v) }, func() any { return v }
	case "nested_options":
		v := &nested{}
		if load {
			v = nestedOf(int(c.number(t)))
		}
		return v.Code, func() any { return uint64(v.depth()) }
	}
	t.Fatalf("kind %s is not known", kind)
	return nil, nil
}

// joined shows byte strings without telling nil from empty.
func joined(items [][]byte) (out []string) {
	for _, item := range items {
		out = append(out, string(item))
	}
	return out
}

type compact64 uint64

func (v *compact64) Code(c *Coder) { c.Compact64((*uint64)(v)) }

func TestVectorsScale(t *testing.T) {
	vectors.Run(t, "types/scale", func(t *testing.T, c scaleCase) {
		if kind, ok := strings.CutPrefix(c.Kind, "decode_"); ok {
			c.checkDecode(t, kind)
			return
		}
		code, want := c.coding(t, c.Kind, true)
		got, err := Encode(one{code})
		if c.Error != nil {
			require.ErrorIs(t, err, classes[*c.Error])
			return
		}
		require.NoError(t, err)
		require.Equal(t, []byte(c.Encoded), got)
		code, have := c.coding(t, c.Kind, false)
		require.NoError(t, Decode(c.Encoded, one{code}))
		require.Equal(t, want(), have())
	})
}

func (c scaleCase) checkDecode(t *testing.T, kind string) {
	t.Helper()
	code, have := c.coding(t, kind, false)
	n, err := DecodePrefix(c.Encoded, one{code})
	if c.Error != nil {
		require.True(t, errors.Is(err, classes[*c.Error]), "want %s, got %v", *c.Error, err)
		return
	}
	require.NoError(t, err)
	if c.Consumed != 0 {
		require.Equal(t, c.Consumed, n)
	}
	if kind == "bool" {
		require.Equal(t, string(c.Value) == `"1"`, have())
		return
	}
	require.Equal(t, c.number(t), have())
}
