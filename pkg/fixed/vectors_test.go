package fixed_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/fixed"
)

func TestVectors(t *testing.T) {
	type mathCase struct {
		Op    string
		P, Q  any
		Bytes vectors.Hex
		N, X  int64
		Out   vectors.Hex
	}
	vectors.Run(t, "hare/fixed_math", func(t *testing.T, c mathCase) {
		var got fixed.Num
		switch c.Op {
		case "div_uint64":
			var calc fixed.Calc
			got = calc.DivUint64(decimal(t, c.P), decimal(t, c.Q))
			require.NoError(t, calc.Err())
		case "frac_from_bytes":
			got = fixed.Fraction([8]byte(c.Bytes))
		case "bincdf":
			var err error
			got, err = fixed.BinomialCDF(c.N, word(t, c.P), c.X)
			require.NoError(t, err)
		default:
			t.Fatalf("unknown operation %q", c.Op)
		}
		require.Equal(t, c.Out.String(), got.String())
	})
}
