package address

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/wire"
)

func TestVectorAddress(t *testing.T) {
	type addressCase struct {
		HRP       string       `json:"hrp"`
		Address   vectors.Hex  `json:"address"`
		Text      string       `json:"text"`
		KeyBytes  *vectors.Hex `json:"key_bytes"`
		Error     *string      `json:"error"`
		Canonical string       `json:"canonical_text"`
	}
	class := map[string]error{
		"bech32": ErrBech32, "length": ErrLength, "network": ErrNetwork, "reserved": ErrReserved,
	}
	vectors.Run(t, "crypto/address", func(t *testing.T, c addressCase) {
		got, err := Parse(c.HRP, c.Text)
		if c.Error != nil {
			require.Contains(t, class, *c.Error)
			require.ErrorIs(t, err, class[*c.Error])
			return
		}
		require.NoError(t, err)
		require.Equal(t, wire.Address(c.Address), got)
		want := c.Text
		if c.Canonical != "" {
			want = c.Canonical
		}
		require.Equal(t, want, Text(c.HRP, got))
		if c.KeyBytes != nil {
			require.Equal(t, got, Generate(*c.KeyBytes))
		}
	})
}

func TestTextParses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Generate(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "key"))
		got, err := Parse("stest", Text("stest", a))
		if err != nil || got != a {
			t.Fatalf("%v becomes %v, %v", a, got, err)
		}
		if IsEmpty(a) != (a == wire.Address{}) {
			t.Fatal("emptiness")
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("sm1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq2wqd6r")
	f.Add("1")
	f.Add("SM1\xff")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := Parse("sm", text)
		if err != nil {
			return
		}
		again, err := Parse("sm", Text("sm", a))
		require.NoError(t, err)
		require.Equal(t, a, again)
	})
}
