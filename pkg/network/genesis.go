package network

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/smeshery/smeshery/pkg/wire"
)

// maxExtraData bounds the genesis text in bytes (spec 01 §20).
const maxExtraData = 255

// Reasons to refuse a genesis.
var (
	ErrExtraData = errors.New("genesis extra data must have 1 to 255 bytes")
	ErrZeroATX   = errors.New("golden ATX is zero")
)

// Genesis is what two nodes must agree on to be in one network.
type Genesis struct {
	// Time starts layer 0; fractions of a second do not count.
	Time time.Time
	// ExtraData is taken as text even where it looks like hex.
	ExtraData string
	// Accounts exist from the start.
	Accounts []GenesisAccount
}

// GenesisAccount is an account with its first balance.
type GenesisAccount struct {
	// Address is in text form, with the network's prefix.
	Address string
	// Balance is in smidge.
	Balance uint64
}

// GoldenATX stands in for an ATX before there are any (spec 01 §20).
func (g Genesis) GoldenATX() wire.ATXID {
	return wire.ATXID(wire.Sum(strconv.AppendInt(nil, g.Time.Unix(), 10), []byte(g.ExtraData)))
}

// ID is the network's name and the prefix of everything signed.
func (g Genesis) ID() wire.Hash20 { return wire.Hash32(g.GoldenATX()).Truncate() }

// Validate tells whether a node may be set up with this genesis.
func (g Genesis) Validate() error {
	if n := len(g.ExtraData); n == 0 || n > maxExtraData {
		return fmt.Errorf("%w, not %d", ErrExtraData, n)
	}
	if wire.IsZero(g.GoldenATX()) {
		return ErrZeroATX
	}
	return nil
}
