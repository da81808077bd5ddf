package ripemd256

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPublishedDigests(t *testing.T) {
	for msg, want := range map[string]string{
		"":    "02ba4c4e5f8ecd1877fc52d64d30e37a2d9774fb1e5d026380ae0168e3c5522d",
		"a":   "f9333e45d857f5d90a91bab70a1eba0cfb1be4b0783c9acfcd883a9134692925",
		"abc": "afbd6e228b9d8cbbcef5ca2d03e6dba10ac0bc7dcbe4680e1e42d2e975459b65",
	} {
		sum := Sum([]byte(msg))
		require.Equal(t, want, hex.EncodeToString(sum[:]), msg)
	}
}
