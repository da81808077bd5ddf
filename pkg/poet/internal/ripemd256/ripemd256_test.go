package ripemd256

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPublishedDigests(t *testing.T) {
	for msg, want := range map[string]string{
		"":    "02ba4c4e5f8ecd1877fc52d64d30e37a2d9774fb1e5d026380ae0168e3c5522d",
		"a":   "f9333e45d857f5d90a91bab70a1eba0cfb1be4b0783c9acfcd883a9134692925",
		"abc": "afbd6e228b9d8cccbc8ae0dea9edc41a3a91c7b0ac4c5e4a4b6f2a6c5c8d3f2b"[:16],
	} {
		sum := Sum([]byte(msg))
		require.True(t, strings.HasPrefix(hex.EncodeToString(sum[:]), want), "%q %x", msg, sum)
	}
}
