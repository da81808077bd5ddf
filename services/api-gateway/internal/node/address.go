package node

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cosmos/btcutil/bech32"

	"github.com/smeshery/smeshery/pkg/address"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Address reads an address. Its errors have the texts of spec 09 §1.2, which
// clients see.
func (n *Node) Address(text string) (wire.Address, error) {
	a, err := address.Parse(n.Network.HRP, text)
	if err == nil {
		return a, nil
	}
	return a, n.explain(text, err)
}

func (n *Node) explain(text string, err error) error {
	prefix, symbols, _ := bech32.DecodeNoLimit(text)
	switch {
	case errors.Is(err, address.ErrBech32):
		return fmt.Errorf("error decoding bech32: %s", strings.TrimPrefix(err.Error(), address.ErrBech32.Error()+": "))
	case errors.Is(err, address.ErrLength):
		return fmt.Errorf("expected 24 bytes, got %d: wrong address length", len(symbols))
	case errors.Is(err, address.ErrNetwork):
		return fmt.Errorf("wrong network id: expected `%s`, got `%s`: unsupported network", n.Network.HRP, prefix)
	case errors.Is(err, address.ErrReserved):
		return fmt.Errorf("expected first 4 bytes to be 0, got %d: missing reserved space", reserved(symbols))
	}
	return err
}

// reserved is the first of the reserved bytes that is not zero.
func reserved(symbols []byte) byte {
	raw, err := bech32.ConvertBits(symbols, 5, 8, true)
	if err != nil {
		return 0
	}
	for _, b := range raw[:min(len(raw), address.Reserved)] {
		if b != 0 {
			return b
		}
	}
	return 0
}

// Text is an address as the network writes it.
func (n *Node) Text(a wire.Address) string { return address.Text(n.Network.HRP, a) }
