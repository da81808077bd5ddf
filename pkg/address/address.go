package address

import (
	"errors"
	"fmt"

	"github.com/cosmos/btcutil/bech32"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Reasons to refuse a text, in the order they are looked for (spec 01 §21).
var (
	ErrBech32   = errors.New("not bech32")
	ErrLength   = errors.New("wrong address length")
	ErrNetwork  = errors.New("address of another network")
	ErrReserved = errors.New("reserved bytes are not zero")
)

const (
	// Reserved is the number of leading bytes that are zero in a text.
	Reserved = 4
	hashSize = 20
	// regrouped is how many bytes the data symbols of an address give with
	// padding: 39 or 40 symbols of 5 bits.
	regrouped = 25
)

// Text is the canonical form under the network's prefix, such as "sm".
func Text(hrp string, a wire.Address) string {
	symbols, err := bech32.ConvertBits(a[:], 8, 5, true)
	if err == nil {
		var text string
		if text, err = bech32.Encode(hrp, symbols); err == nil {
			return text
		}
	}
	panic(err) // symbols are of 5 bits by construction
}

// Parse reads an address of the network with prefix hrp.
func Parse(hrp, text string) (wire.Address, error) {
	prefix, symbols, err := bech32.DecodeNoLimit(text)
	if err != nil {
		return wire.Address{}, fmt.Errorf("%w: %w", ErrBech32, err)
	}
	raw, err := bech32.ConvertBits(symbols, 5, 8, true)
	if err != nil || len(raw) != regrouped {
		return wire.Address{}, fmt.Errorf("%w: %d symbols", ErrLength, len(symbols))
	}
	if prefix != hrp {
		return wire.Address{}, fmt.Errorf("%w: %q, not %q", ErrNetwork, prefix, hrp)
	}
	a := wire.Address(raw[:len(wire.Address{})])
	if [Reserved]byte(a[:]) != ([Reserved]byte{}) {
		return wire.Address{}, ErrReserved
	}
	return a, nil
}

// Generate makes an address of key bytes: their last 20, or all of them from
// the left if there are fewer.
func Generate(key []byte) (a wire.Address) {
	if len(key) > hashSize {
		key = key[len(key)-hashSize:]
	}
	copy(a[Reserved:], key)
	return a
}

// IsEmpty tells whether the part after the reserved bytes is zero.
func IsEmpty(a wire.Address) bool {
	return [hashSize]byte(a[Reserved:]) == [hashSize]byte{}
}
