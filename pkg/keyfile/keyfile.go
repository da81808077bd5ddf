package keyfile

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/smeshery/smeshery/pkg/signing"
)

// Size is the length of a key file: seed and public key in hex.
const Size = 128

// Reasons to refuse a key file or a directory (spec 01 §19).
var (
	ErrLength    = errors.New("key is not 64 bytes")
	ErrHex       = errors.New("key is not hex")
	ErrMismatch  = errors.New("public half does not belong to the private half")
	ErrDuplicate = errors.New("identity occurs in two key files")
	ErrMixed     = errors.New("local.key stands beside other identities")
	ErrExposed   = errors.New("key is open to other users")
	ErrNoKeys    = errors.New("directory has no key files")
)

// Parse reads the content of a key file.
func Parse(content []byte) (signing.Key, error) {
	if hex.DecodedLen(len(content)) != Size/2 {
		return signing.Key{}, fmt.Errorf("%w: %d hex digits", ErrLength, len(content))
	}
	raw := make([]byte, Size)
	n, err := hex.Decode(raw, content)
	if err != nil || n != Size/2 || len(content) != Size {
		return signing.Key{}, ErrHex
	}
	key := signing.NewKey([32]byte(raw))
	if id := key.NodeID(); !bytes.Equal(id[:], raw[32:n]) {
		return signing.Key{}, ErrMismatch
	}
	return key, nil
}

// Format is the content of the file of a key.
func Format(key signing.Key) []byte {
	seed, id := key.Seed(), key.NodeID()
	return hex.AppendEncode(hex.AppendEncode(nil, seed[:]), id[:])
}
