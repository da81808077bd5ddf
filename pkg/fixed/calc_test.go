package fixed_test

import (
	"encoding/binary"
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/pkg/fixed"
)

// plain is a number of the slow second implementation.
type plain struct {
	negative  bool
	magnitude *big.Int
}

func plainOf(n fixed.Num) plain {
	b := n.Bytes()
	negative := b[0]&0x80 != 0
	b[0] &= 0x7f
	return plain{negative, new(big.Int).SetBytes(b[:])}
}

func (p plain) num() (fixed.Num, bool) {
	if p.magnitude.BitLen() > 127 {
		return fixed.Num{}, false
	}
	var b [16]byte
	p.magnitude.FillBytes(b[:])
	if p.negative {
		b[0] |= 0x80
	}
	return fixed.FromBytes(b), true
}

func plainAdd(x, y plain) plain {
	if x.negative == y.negative {
		return plain{x.negative, new(big.Int).Add(x.magnitude, y.magnitude)}
	}
	switch x.magnitude.Cmp(y.magnitude) {
	case 0:
		return plain{false, new(big.Int)}
	case 1:
		return plain{x.negative, new(big.Int).Sub(x.magnitude, y.magnitude)}
	}
	return plain{y.negative, new(big.Int).Sub(y.magnitude, x.magnitude)}
}

func plainMul(x, y plain) plain {
	p := new(big.Int).Mul(x.magnitude, y.magnitude)
	return plain{x.negative != y.negative, p.Rsh(p, 56)}
}

func plainQuotient(u, v *big.Int) (*big.Int, *big.Int) {
	if v.BitLen() <= 64 {
		return new(big.Int).QuoRem(u, v, new(big.Int))
	}
	n := uint(128 - v.BitLen())
	w := new(big.Int).Lsh(v, n)
	w.Rsh(w, 64)
	t := new(big.Int).Quo(u, w)
	t.Rsh(t, 64-n)
	if t.Sign() > 0 {
		t.Sub(t, big.NewInt(1))
	}
	r := new(big.Int).Sub(u, new(big.Int).Mul(v, t))
	if r.Sign() < 0 || r.Cmp(v) > 0 {
		t.Add(t, big.NewInt(1))
		r.Sub(r, v)
	}
	return t, r
}

func plainDiv(x, y plain) plain {
	sign := x.negative != y.negative
	u, v := x.magnitude, y.magnitude
	if u.BitLen() <= 71 {
		q, _ := plainQuotient(new(big.Int).Lsh(u, 56), v)
		return plain{sign, q}
	}
	a, r := plainQuotient(u, v)
	k := uint(56)
	if r.BitLen() > 64 {
		k = min(k, uint(128-r.BitLen()-1))
	}
	rest, _ := plainQuotient(new(big.Int).Lsh(r, k), new(big.Int).Rsh(v, 56-k))
	return plain{sign, rest.Add(rest, new(big.Int).Lsh(a, 56))}
}

func drawNum(t *rapid.T, name string) fixed.Num {
	width := rapid.IntRange(0, 127).Draw(t, name+" bits")
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], rapid.Uint64().Draw(t, name+" hi"))
	binary.BigEndian.PutUint64(b[8:], rapid.Uint64().Draw(t, name+" lo"))
	m := new(big.Int).SetBytes(b[:])
	m.Rsh(m, uint(128-width))
	n, _ := plain{rapid.Bool().Draw(t, name+" sign"), m}.num()
	return n
}

func TestOperationsAgreeWithBigIntegers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := drawNum(t, "x"), drawNum(t, "y")
		check := func(name string, want plain, op func(*fixed.Calc, fixed.Num, fixed.Num) fixed.Num) {
			var c fixed.Calc
			got := op(&c, x, y)
			n, fits := want.num()
			require.Equal(t, fits, c.Err() == nil, "%s %v %v", name, x, y)
			if fits {
				require.Equal(t, n, got, "%s %v %v", name, x, y)
			}
		}
		check("add", plainAdd(plainOf(x), plainOf(y)), (*fixed.Calc).Add)
		check("mul", plainMul(plainOf(x), plainOf(y)), (*fixed.Calc).Mul)
		if !y.IsZero() {
			check("div", plainDiv(plainOf(x), plainOf(y)), (*fixed.Calc).Div)
		}
	})
}

// The published examples of quotients one unit short.
func TestExactQuotientsOfLargeDivisorsAreShort(t *testing.T) {
	var c fixed.Calc
	require.Equal(t, fixed.Raw(1<<54-1), c.DivUint64(400, 1600))
	require.Equal(t, fixed.Raw(1<<56-1), c.DivUint64(300, 300))
	require.Equal(t, fixed.One, c.DivUint64(255, 255))
	require.NoError(t, c.Err())
}

func TestDivisionByZeroOverflows(t *testing.T) {
	var c fixed.Calc
	c.Div(fixed.One, fixed.Num{})
	require.ErrorIs(t, c.Err(), fixed.ErrOverflow)
	var d fixed.Calc
	d.DivUint64(1, 0)
	require.ErrorIs(t, d.Err(), fixed.ErrOverflow)
}

func TestNegativeNumbersCompareLarge(t *testing.T) {
	require.True(t, fixed.Raw(-1).Greater(fixed.Int(1<<30)))
	require.True(t, fixed.One.Less(fixed.Raw(-1)))
	require.Equal(t, uint64(math.MaxUint64), fixed.Raw(-1).Word())
}

// The distribution is close to the one that mathematics knows.
func TestCDFIsCloseToTheSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(1, 60).Draw(t, "n")
		p := rapid.Int64Range(1<<40, 1<<56-1<<40).Draw(t, "p")
		x := rapid.Int64Range(-2, 62).Draw(t, "x")
		got, err := fixed.BinomialCDF(n, fixed.Raw(p), x)
		require.NoError(t, err)
		want, prob := 0.0, float64(p)/(1<<56)
		for k := int64(0); k <= min(x, n); k++ {
			lg := func(v int64) float64 { g, _ := math.Lgamma(float64(v)); return g }
			want += math.Exp(lg(n+1) - lg(k+1) - lg(n-k+1) +
				float64(k)*math.Log(prob) + float64(n-k)*math.Log1p(-prob))
		}
		require.InDelta(t, want, float64(got.Word())/(1<<56), 1e-9)
	})
}

func TestDistributionOutsideItsDomain(t *testing.T) {
	_, err := fixed.BinomialCDF(10, fixed.Raw(-1), 3)
	require.ErrorIs(t, err, fixed.ErrOverflow)
	_, err = fixed.BinomialCDF(10, fixed.Int(2), 3)
	require.ErrorIs(t, err, fixed.ErrOverflow)
	_, err = fixed.BinomialCDF(1<<31, fixed.Raw(1), 3)
	require.ErrorIs(t, err, fixed.ErrOverflow)
}

func FuzzBinomialCDF(f *testing.F) {
	f.Add(int64(15204), int64(0x1b88259), int64(1))
	f.Add(int64(1<<30), int64(1<<56-1), int64(1<<30-1))
	f.Add(int64(300), int64(1), int64(150))
	f.Fuzz(func(t *testing.T, n, p, x int64) {
		if n > 1<<40 || n < 0 {
			return
		}
		first, err := fixed.BinomialCDF(n, fixed.Raw(p), x)
		again, errAgain := fixed.BinomialCDF(n, fixed.Raw(p), x)
		require.Equal(t, first, again)
		require.Equal(t, err, errAgain)
	})
}

func BenchmarkBinomialCDF(b *testing.B) {
	var c fixed.Calc
	p := c.DivUint64(50, 10_000_000_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fixed.BinomialCDF(200_000, p, 1); err != nil {
			b.Fatal(err)
		}
	}
}
