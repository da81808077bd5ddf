package wire

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTextFormsRefuseWhatIsNot(t *testing.T) {
	dst := make([]byte, 4)
	for _, text := range []string{"", "dzvyqw", "dzvyqw===", "dzvyq", "AAAAAAA=", "dzvy qw=="} {
		require.ErrorIs(t, ParseBase64(text, dst), ErrText, text)
	}
	for _, text := range []string{"", "773bf2ab", "0x773bf2", "0x773bf2abcd", "0xzz3bf2ab", "x0773bf2ab"} {
		require.ErrorIs(t, ParseHex(text, dst), ErrText, text)
	}
	require.NoError(t, ParseHex("0X773BF2ab", dst))
	require.Equal(t, []byte{0x77, 0x3b, 0xf2, 0xab}, dst)
}
