package wire

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzText reads arbitrary text in both forms; what is accepted is the form of
// its value, up to the case of digits.
func FuzzText(f *testing.F) {
	f.Add("0x" + strings.Repeat("0a", 32))
	f.Add(Base64(make([]byte, 32)))
	f.Fuzz(func(t *testing.T, text string) {
		var id [32]byte
		if ParseHex(text, id[:]) == nil {
			require.Equal(t, strings.ToLower(text), Hex(id[:]))
		}
		if ParseBase64(text, id[:]) == nil {
			require.Len(t, Base64(id[:]), 44)
		}
	})
}
