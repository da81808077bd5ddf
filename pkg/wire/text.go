package wire

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Text forms of spec 01 §3.6. They occur in checkpoints, bootstrap documents and
// configuration, never in messages.

// ErrText says that a text is not the form of the value it should be.
var ErrText = errors.New("not the text form")

// Base64 is the text form of identifiers, beacons and byte strings.
func Base64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// ParseBase64 reads the text form of a value of len(dst) bytes into dst.
func ParseBase64(text string, dst []byte) error {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrText, err)
	}
	if len(raw) != len(dst) {
		return fmt.Errorf("%w: %d bytes where %d are due", ErrText, len(raw), len(dst))
	}
	copy(dst, raw)
	return nil
}

// Hex is the text form of hashes.
func Hex(b []byte) string { return "0x" + hex.EncodeToString(b) }

// ParseHex reads the text form of a hash of len(dst) bytes into dst: 0x or 0X,
// then digits of either case.
func ParseHex(text string, dst []byte) error {
	digits, ok := strings.CutPrefix(strings.Replace(text, "0X", "0x", 1), "0x")
	if !ok {
		return fmt.Errorf("%w: %q does not begin with 0x", ErrText, text)
	}
	if len(digits) != 2*len(dst) {
		return fmt.Errorf("%w: %d digits where %d are due", ErrText, len(digits), 2*len(dst))
	}
	if _, err := hex.Decode(dst, []byte(digits)); err != nil {
		return fmt.Errorf("%w: %w", ErrText, err)
	}
	return nil
}
