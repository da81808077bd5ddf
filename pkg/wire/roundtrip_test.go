package wire

import (
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/pkg/codec"
)

var proofData = reflect.TypeFor[MalfeasanceData]()

// fill draws a value for every field of a message. Lists stay below the
// smallest limit of any.
func fill(t *rapid.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() && rapid.Bool().Draw(t, "present") {
			v.Set(reflect.New(v.Type().Elem()))
		}
		if !v.IsNil() {
			fill(t, v.Elem())
		}
	case reflect.Struct:
		fillStruct(t, v)
	case reflect.Slice:
		fillSlice(t, v)
	case reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			b := rapid.SliceOfN(rapid.Byte(), v.Len(), v.Len()).Draw(t, "bytes")
			reflect.Copy(v, reflect.ValueOf(b))
			return
		}
		for i := range v.Len() {
			fill(t, v.Index(i))
		}
	case reflect.String:
		v.SetString(rapid.StringN(0, 8, 32).Draw(t, "text"))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(number(v.Type().Bits()).Draw(t, "number"))
	}
}

// number favours the edges of the compact modes.
func number(bits int) *rapid.Generator[uint64] {
	top := uint64(math.MaxUint64) >> (64 - bits)
	edges := []uint64{0, top}
	for _, edge := range []uint64{1 << 6, 1 << 14, 1 << 30, 1 << 32, 1 << 40, 1 << 48, 1 << 56} {
		if edge <= top {
			edges = append(edges, edge-1, edge)
		}
	}
	return rapid.OneOf(rapid.SampledFrom(edges), rapid.Uint64Max(top))
}

func fillStruct(t *rapid.T, v reflect.Value) {
	if proof, ok := v.Addr().Interface().(*MalfeasanceProof); ok {
		proof.Layer = LayerID(number(32).Draw(t, "layer"))
		proof.Type = MalfeasanceType(rapid.Uint8Range(1, 5).Draw(t, "type"))
		proof.Data = newMalfeasanceData(proof.Type)
		fill(t, reflect.ValueOf(proof.Data))
		return
	}
	if value, ok := v.Addr().Interface().(*HareValue); ok && !value.Hare4 {
		fill(t, v.FieldByName("Proposals"))
		fill(t, v.FieldByName("Reference"))
		return
	}
	for i := range v.NumField() {
		if v.Field(i).CanSet() && v.Type().Field(i).Name != "Hare4" {
			fill(t, v.Field(i))
		}
	}
}

func fillSlice(t *rapid.T, v reflect.Value) {
	limit := 3
	if v.Type() == reflect.TypeFor[[]ATXID]() {
		limit = 1 // a ballot's obsolete active set
	}
	n := rapid.IntRange(0, limit).Draw(t, "length")
	if v.Type().Elem().Kind() == reflect.Uint8 {
		n = rapid.SampledFrom([]int{0, 1, 7, 32}).Draw(t, "length")
	}
	if n == 0 {
		return // an absent list is the decoded form of an empty one
	}
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	for i := range n {
		fill(t, v.Index(i))
	}
}

// drawMessage draws a type and a value of it.
func drawMessage(t *rapid.T) (string, codec.Coded) {
	name := rapid.SampledFrom(names).Draw(t, "type")
	message := every[name]()
	v := reflect.ValueOf(message)
	if inner, ok := message.(innerProposal); ok {
		v = reflect.ValueOf(inner.Proposal)
	}
	fill(t, v.Elem())
	if inner, ok := message.(innerProposal); ok {
		inner.Signature = EdSignature{} // not part of it
	}
	return name, message
}

func TestRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name, message := drawMessage(t)
		encoded, err := codec.Encode(message)
		require.NoError(t, err, name)
		decoded := every[name]()
		require.NoError(t, codec.Decode(encoded, decoded), name)
		require.Equal(t, message, decoded, name)
		require.Equal(t, encoded, codec.MustEncode(decoded), name)

		prefix := []byte("before")
		appended, err := codec.Append(prefix, message)
		require.NoError(t, err)
		require.Equal(t, append(prefix, encoded...), appended)
	})
}

// TestMessagesEndWhereTheyEnd cuts and extends encodings: the length belongs to
// the message.
func TestMessagesEndWhereTheyEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name, message := drawMessage(t)
		encoded := codec.MustEncode(message)
		cut := rapid.IntRange(0, len(encoded)-1).Draw(t, "cut")
		require.ErrorIs(t, codec.Decode(encoded[:cut], every[name]()), codec.ErrEOF, name)

		longer := slices.Concat(encoded, rapid.SliceOfN(rapid.Byte(), 1, 3).Draw(t, "more"))
		require.ErrorIs(t, codec.Decode(longer, every[name]()), codec.ErrTrailingBytes, name)
		n, err := codec.DecodePrefix(longer, every[name]())
		require.NoError(t, err, name)
		require.Equal(t, len(encoded), n, name)
	})
}

func TestTheInterfaceOfProofsIsFilled(t *testing.T) {
	for kind := MultipleATXs; kind <= InvalidPrevATX; kind++ {
		require.True(t, reflect.TypeOf(newMalfeasanceData(kind)).Implements(proofData))
	}
	require.Nil(t, newMalfeasanceData(0))
	require.Nil(t, newMalfeasanceData(InvalidPrevATX+1))
}

func TestPublishEpochOf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := EpochID(number(32).Draw(t, "epoch"))
		v1 := codec.MustEncode(&ActivationTxV1{InnerActivationTxV1: InnerActivationTxV1{NIPostChallengeV1: NIPostChallengeV1{PublishEpoch: want}}})
		v2 := codec.MustEncode(&ActivationTxV2{PublishEpoch: want})
		unknown := append(codec.MustEncode(&want), rapid.SliceOf(rapid.Byte()).Draw(t, "rest")...)
		for _, blob := range [][]byte{v1, v2, unknown} {
			got, err := PublishEpochOf(blob)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	})
	for name, c := range map[string]struct {
		blob  []byte
		class error
	}{
		"nothing":               {nil, codec.ErrEOF},
		"cut":                   {[]byte{0x01}, codec.ErrEOF},
		"cut in four bytes":     {[]byte{0x02, 0, 1}, codec.ErrEOF},
		"not minimal":           {[]byte{0x01, 0x00}, codec.ErrCompactRange},
		"more than 32 bits":     {[]byte{0x07, 0, 0, 0, 0, 1}, codec.ErrCompactWidth},
		"four bytes for little": {[]byte{0x03, 1, 0, 0, 0}, codec.ErrCompactRange},
	} {
		epoch, err := PublishEpochOf(c.blob)
		require.ErrorIs(t, err, c.class, name)
		require.Zero(t, epoch, name)
	}
}
