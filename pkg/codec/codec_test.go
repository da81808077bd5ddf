package codec

import (
	"bytes"
	"errors"
	"math"
	"math/bits"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// everything uses each way to describe a field once.
type everything struct {
	Fixed    [5]byte
	Plain8   uint8
	Plain16  uint16
	Plain32  uint32
	Plain64  uint64
	Flag     bool
	C8       uint8
	C16      uint16
	C32      uint32
	C64      uint64
	Maybe    *uint64
	Bytes    []byte
	Text     string
	Structs  []hash32
	Hashes   []hash32
	Numbers  []uint32
	Strings  [][]byte
	Pair     [2]hash32
	Optional *hash32
	Option20 *[20]byte
}

func (e *everything) Code(c *Coder) {
	c.Fixed(e.Fixed[:])
	c.U8(&e.Plain8)
	c.U16(&e.Plain16)
	c.U32(&e.Plain32)
	c.U64(&e.Plain64)
	c.Bool(&e.Flag)
	c.Compact8(&e.C8)
	c.Compact16(&e.C16)
	c.Compact32(&e.C32)
	c.Compact64(&e.C64)
	c.OptionalCompact64(&e.Maybe)
	c.Bytes(&e.Bytes, 64)
	c.String(&e.Text, 64)
	List(c, &e.Structs, 8)
	FixedList(c, &e.Hashes, 8)
	CompactList(c, &e.Numbers, 8)
	BytesList(c, &e.Strings, 8, 16)
	Array(c, e.Pair[:])
	Option(c, &e.Optional)
	OptionFixed(c, &e.Option20)
}

// unsigned favours the edges of the compact modes.
func unsigned(t *rapid.T, width int) uint64 {
	top := uint64(math.MaxUint64) >> (64 - width)
	edge := uint64(1) << rapid.IntRange(0, width-1).Draw(t, "bit")
	return rapid.OneOf(rapid.SampledFrom([]uint64{0, edge - 1, edge, top}), rapid.Uint64Max(top)).Draw(t, "number")
}

func drawHash(t *rapid.T) (h hash32) {
	copy(h[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "hash"))
	return h
}

// few draws a list that is nil when it is empty, as decoding gives it.
func few[T any](t *rapid.T, draw func(*rapid.T) T) (out []T) {
	for range rapid.IntRange(0, 8).Draw(t, "length") {
		out = append(out, draw(t))
	}
	return out
}

func drawEverything(t *rapid.T) *everything {
	raw := func(t *rapid.T) []byte { return few(t, func(t *rapid.T) byte { return rapid.Byte().Draw(t, "byte") }) }
	e := &everything{
		Plain8: uint8(unsigned(t, 8)), Plain16: uint16(unsigned(t, 16)), Plain32: uint32(unsigned(t, 32)), Plain64: unsigned(t, 64),
		Flag: rapid.Bool().Draw(t, "flag"),
		C8:   uint8(unsigned(t, 8)), C16: uint16(unsigned(t, 16)), C32: uint32(unsigned(t, 32)), C64: unsigned(t, 64),
		Bytes: raw(t), Text: string(raw(t)), Structs: few(t, drawHash), Hashes: few(t, drawHash),
		Numbers: few(t, func(t *rapid.T) uint32 { return uint32(unsigned(t, 32)) }),
		Strings: few(t, raw), Pair: [2]hash32{drawHash(t), drawHash(t)},
	}
	copy(e.Fixed[:], raw(t))
	if rapid.Bool().Draw(t, "present") {
		n, h := unsigned(t, 64), drawHash(t)
		e.Maybe, e.Optional, e.Option20 = &n, &h, new([20]byte)
	}
	return e
}

func TestEveryHelperRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawEverything(t)
		encoded, err := Encode(want)
		require.NoError(t, err)
		got := new(everything)
		require.NoError(t, Decode(encoded, got))
		require.Equal(t, want, got)
		cut := rapid.IntRange(0, len(encoded)-1).Draw(t, "cut")
		require.ErrorIs(t, Decode(encoded[:cut], new(everything)), ErrEOF)
	})
}

// compactForm is spec 01 §2.2 once more, from the value's size alone.
func compactForm(v uint64) []byte {
	shifted := func(n int, mode uint64) (out []byte) {
		for w := v<<2 | mode; n > 0; n-- {
			out = append(out, byte(w))
			w >>= 8
		}
		return out
	}
	switch size := bits.Len64(v); {
	case size <= 6:
		return shifted(1, 0)
	case size <= 14:
		return shifted(2, 1)
	case size <= 30:
		return shifted(4, 2)
	}
	n := (bits.Len64(v) + 7) / 8
	out := []byte{byte(n-4)<<2 | 3}
	for range n {
		out = append(out, byte(v))
		v >>= 8
	}
	return out
}

func TestCompactForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := unsigned(t, 64)
		require.Equal(t, compactForm(v), AppendCompact(nil, v))
	})
}

// TestFirstBytesAtAllWidths reads every first byte, followed by ones or zeros,
// at every width: a value that comes out fits, and encodes to what was read
// unless it is one of the wide forms that may carry zeros in front.
func TestFirstBytesAtAllWidths(t *testing.T) {
	for head := range 256 {
		for _, fill := range []byte{0x00, 0x01, 0xff} {
			input := append([]byte{byte(head)}, bytes.Repeat([]byte{fill}, 70)...)
			for _, width := range []int{8, 16, 32, 64} {
				c := &Coder{buf: input, reading: true}
				v := c.readCompact(width)
				if c.err != nil {
					require.Zero(t, v)
					continue
				}
				require.LessOrEqual(t, bits.Len64(v), width)
				if again := AppendCompact(nil, v); head&3 != 3 {
					require.Equal(t, input[:c.off], again)
				} else {
					require.LessOrEqual(t, len(again), c.off)
				}
			}
		}
	}
}

// hungry takes far more memory than bytes on the wire.
type hungry struct{ big [1 << 16]byte }

func (h *hungry) Code(c *Coder) { c.U8(&h.big[0]) }

// TestDeclaredLengthsAllocateNothing declares lists of millions of elements and
// sends a handful of bytes.
func TestDeclaredLengthsAllocateNothing(t *testing.T) {
	const declared = math.MaxUint32
	for name, code := range map[string]func(c *Coder){
		"bytes":   func(c *Coder) { c.Bytes(new([]byte), declared) },
		"string":  func(c *Coder) { c.String(new(string), declared) },
		"list":    func(c *Coder) { List(c, new([]hash32), declared) },
		"fixed":   func(c *Coder) { FixedList(c, new([]hash32), declared) },
		"compact": func(c *Coder) { CompactList(c, new([]uint32), declared) },
		"strings": func(c *Coder) { BytesList(c, new([][]byte), declared, declared) },
	} {
		input := AppendCompact(nil, declared)
		input = append(input, 1, 2, 3)
		// The least of some tries: the runtime allocates now and then, too.
		least := uint64(math.MaxUint64)
		for range 5 {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := Decode(input, one{code})
			runtime.ReadMemStats(&after)
			require.ErrorIs(t, err, ErrEOF, name)
			least = min(least, after.TotalAlloc-before.TotalAlloc)
		}
		require.Less(t, least, uint64(4096), name)
	}
	// Elements larger than the input reserve room for a few, not for all.
	large := makeBounded[hungry](declared, 1000)
	require.LessOrEqual(t, cap(large), 4)
	require.Nil(t, makeBounded[hungry](0, 1000))
}

func TestTheFirstErrorSticks(t *testing.T) {
	first := errors.New("first")
	c := &Coder{reading: true, buf: make([]byte, 100), depth: MaxNested}
	c.Fail(first)
	c.Fail(ErrEOF)
	e := drawnOnce
	e.Code(c)
	require.ErrorIs(t, c.Err(), first)
	require.Zero(t, c.off)
	require.Equal(t, drawnOnce, e)

	w := &Coder{depth: MaxNested}
	w.Fail(first)
	e.Code(w)
	require.Equal(t, first, w.Err())
	require.Empty(t, w.buf)
}

// drawnOnce has no list, which a failed reading may clear.
var drawnOnce = everything{Plain8: 1, Plain64: 2, C16: 3, C64: 4, Flag: true}

func TestAppendKeepsWhatWasThere(t *testing.T) {
	before := []byte("before")
	out, err := Append(before, one{func(c *Coder) { c.Bytes(ptr(make([]byte, 3)), 2) }})
	require.ErrorIs(t, err, ErrTooManyElements)
	require.Equal(t, before, out)
}

func ptr[T any](v T) *T { return &v }

// FuzzEverything decodes arbitrary bytes through each helper.
func FuzzEverything(f *testing.F) {
	n, h := uint64(1<<40), hash32{9}
	for _, e := range []*everything{
		{},
		{Maybe: &n, Optional: &h, Option20: new([20]byte), Bytes: []byte{1}, Text: "text", Structs: []hash32{h}, Hashes: []hash32{h, h}},
		{Numbers: []uint32{0, 1 << 6, 1 << 14, 1 << 30}, Strings: [][]byte{nil, {1, 2}}, C64: math.MaxUint64, C32: math.MaxUint32},
	} {
		f.Add(MustEncode(e))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		var e, again everything
		read, err := DecodePrefix(input, &e)
		require.LessOrEqual(t, read, len(input))
		if err != nil {
			return
		}
		canonical, err := Encode(&e)
		require.NoError(t, err)
		require.LessOrEqual(t, len(canonical), read)
		require.NoError(t, Decode(canonical, &again))
		require.Equal(t, e, again)
	})
}

func BenchmarkCompact64(b *testing.B) {
	input := AppendCompact(nil, 1<<40)
	b.ReportAllocs()
	var sum uint64
	for b.Loop() {
		c := Coder{buf: input, reading: true}
		sum += c.readCompact(64)
	}
	require.NotZero(b, sum)
}
