package fixed_test

import (
	"encoding/hex"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/fixed"
)

func decimal(t *testing.T, v any) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(v.(string), 10, 64)
	require.NoError(t, err)
	return n
}

func word(t *testing.T, v any) fixed.Num {
	t.Helper()
	b, err := hex.DecodeString(v.(string))
	require.NoError(t, err)
	return fixed.FromBytes([16]byte(b))
}
