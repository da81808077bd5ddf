package fixed_test

import (
	"encoding/hex"
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/tortoise/fixed"
)

func text(x fixed.Number) string {
	raw, _ := x.AppendBinary(nil)
	return hex.EncodeToString(raw)
}

func TestVectors(t *testing.T) {
	type fixedCase struct {
		Name               string
		P, Q               vectors.Uint64
		Raw                string
		Float              float64
		A, B               vectors.Hex
		Add, Sub, Mul, Div string
		Cross              int
		AFloat             float64 `json:"a_float"`
	}
	vectors.Run(t, "tortoise/fixed", func(t *testing.T, c fixedCase) {
		if c.Name == "div_u64" {
			got := fixed.FromUint64(uint64(c.P)).Div(fixed.FromUint64(uint64(c.Q)))
			require.Equal(t, c.Raw, text(got))
			require.Equal(t, c.Float, got.Float())
			return
		}
		require.Equal(t, "binary", c.Name)
		a, b := fixed.FromBytes([16]byte(c.A)), fixed.FromBytes([16]byte(c.B))
		require.Equal(t, c.Add, text(a.Add(b)))
		require.Equal(t, c.Sub, text(a.Sub(b)))
		require.Equal(t, c.Mul, text(a.Mul(b)))
		require.Equal(t, c.Div, text(a.Div(b)))
		require.Equal(t, c.Cross, a.Crosses(b))
		require.Equal(t, c.AFloat, a.Float())
	})
}

// exact is the number as an integer of 2^-56.
func exact(x fixed.Number) *big.Int {
	lo, hi := x.Bits()
	v := new(big.Int).SetUint64(hi &^ (1 << 63))
	v.Lsh(v, 64).Or(v, new(big.Int).SetUint64(lo))
	if hi>>63 == 1 {
		v.Neg(v)
	}
	return v
}

func number() *rapid.Generator[fixed.Number] {
	return rapid.Custom(func(t *rapid.T) fixed.Number {
		shift := rapid.IntRange(0, 127).Draw(t, "shift")
		lo, hi := rapid.Uint64().Draw(t, "lo"), rapid.Uint64().Draw(t, "hi")
		sign := hi & (1 << 63)
		v := exact(fixed.FromBits(lo, hi&^(1<<63)))
		v.Rsh(v, uint(shift))
		words := new(big.Int).Rsh(v, 64)
		return fixed.FromBits(new(big.Int).And(v, new(big.Int).SetUint64(math.MaxUint64)).Uint64(), words.Uint64()|sign)
	})
}

func TestAgainstIntegers(t *testing.T) {
	limit := new(big.Int).Lsh(big.NewInt(1), 127)
	check := func(t *rapid.T, what string, want *big.Int, got fixed.Number, ok bool) {
		if want.CmpAbs(limit) >= 0 {
			require.False(t, ok, what)
			require.Equal(t, fixed.Max(), got.Abs(), what)
			return
		}
		require.True(t, ok, what)
		require.Zero(t, want.Cmp(exact(got)), "%s: want %s got %s", what, want, exact(got))
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := number().Draw(t, "a"), number().Draw(t, "b")
		sum, ok := a.AddChecked(b)
		check(t, "add", new(big.Int).Add(exact(a), exact(b)), sum, ok)
		sum, ok = a.AddChecked(b.Neg())
		check(t, "sub", new(big.Int).Sub(exact(a), exact(b)), sum, ok)
		product, ok := a.MulChecked(b)
		want := new(big.Int).Mul(exact(a), exact(b))
		want.Quo(want, new(big.Int).Lsh(big.NewInt(1), 56))
		check(t, "mul", want, product, ok)
		require.Equal(t, exact(a).Sign(), a.Sign())
		require.Equal(t, exact(a).CmpAbs(exact(b)) > 0, a.Abs().Greater(b.Abs()))
	})
}

func TestSmallDividendsTruncate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.Uint64Range(0, 1<<15-1).Draw(t, "p")
		q := rapid.Uint64Range(1, 255).Draw(t, "q")
		got := fixed.FromUint64(p).Div(fixed.FromUint64(q))
		want := new(big.Int).Lsh(new(big.Int).SetUint64(p), 56)
		require.Zero(t, want.Quo(want, new(big.Int).SetUint64(q)).Cmp(exact(got)))
	})
}

func TestDivisionNeverStops(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := number().Draw(t, "a"), number().Draw(t, "b")
		got, ok := a.DivChecked(b)
		if b.IsZero() {
			require.False(t, ok)
		}
		if !ok {
			require.Equal(t, fixed.Max(), got.Abs())
		}
	})
	got, ok := fixed.FromUint64(1).DivChecked(fixed.Number{})
	require.False(t, ok)
	require.Equal(t, fixed.Max(), got)
}

func BenchmarkDiv(b *testing.B) {
	x, y := fixed.FromUint64(2823912880), fixed.FromUint64(4032)
	b.ReportAllocs()
	for b.Loop() {
		x.Div(y)
	}
}

func BenchmarkAdd(b *testing.B) {
	x, y := fixed.FromUint64(2823912880), fixed.FromUint64(4032).Neg()
	b.ReportAllocs()
	for b.Loop() {
		x = x.Add(y)
	}
}
