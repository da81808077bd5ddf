package peer

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
)

// ID is a peer's id: the bytes of its multihash. It is not readable text.
type ID string

// ed25519ID starts the id of an Ed25519 key: identity multihash of the public
// key's protobuf (spec 08 §2.1).
func ed25519ID() []byte { return []byte{0x00, 0x24, 0x08, 0x01, 0x12, 0x20} }

// IDFromKey is the id of an Ed25519 public key.
func IDFromKey(public [32]byte) ID { return ID(slices.Concat(ed25519ID(), public[:])) }

// ParseID reads the base58 form.
func ParseID(text string) (ID, error) {
	raw, ok := decodeBase58(text)
	if !ok || !isMultihash(raw) {
		return "", fmt.Errorf("%w: %.60q", ErrPeerID, text)
	}
	return ID(raw), nil
}

func (id ID) String() string { return encodeBase58([]byte(id)) }

// MarshalText writes the base58 form.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads the base58 form.
func (id *ID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseID(string(text))
	return err
}

// isMultihash wants a code, the digest's length and the digest.
func isMultihash(raw []byte) bool {
	_, n := binary.Uvarint(raw)
	if n <= 0 {
		return false
	}
	size, m := binary.Uvarint(raw[n:])
	return m > 0 && size == uint64(len(raw)-n-m)
}

const base58Alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// maxBase58 bounds the quadratic work of decoding; ids have 52 letters at most.
const maxBase58 = 256

func encodeBase58(raw []byte) string {
	var digits []byte // little-endian
	for _, b := range raw {
		carry := int(b)
		for i := range digits {
			carry += int(digits[i]) << 8
			digits[i] = byte(carry % 58)
			carry /= 58
		}
		for ; carry > 0; carry /= 58 {
			digits = append(digits, byte(carry%58))
		}
	}
	zeros := len(raw) - len(bytes.TrimLeft(raw, "\x00"))
	out := bytes.Repeat([]byte{base58Alphabet[0]}, zeros)
	for _, d := range slices.Backward(digits) {
		out = append(out, base58Alphabet[d])
	}
	return string(out)
}

func decodeBase58(text string) ([]byte, bool) {
	if len(text) == 0 || len(text) > maxBase58 {
		return nil, false
	}
	var value []byte // little-endian
	zeros := 0
	for i := range len(text) {
		digit := bytes.IndexByte([]byte(base58Alphabet), text[i])
		if digit < 0 {
			return nil, false
		}
		if digit == 0 && zeros == i {
			zeros++
		}
		carry := digit
		for j := range value {
			carry += int(value[j]) * 58
			value[j] = byte(carry)
			carry >>= 8
		}
		for ; carry > 0; carry >>= 8 {
			value = append(value, byte(carry))
		}
	}
	slices.Reverse(value)
	return append(make([]byte, zeros), value...), true
}
