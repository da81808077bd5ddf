package vm

import (
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// MaxKeys is how many keys a multisig or vesting account may have.
const MaxKeys = 10

// WalletArgs spawn a wallet. Any 32 bytes are a key; a bad one never verifies.
type WalletArgs struct{ PublicKey wire.NodeID }

// Code is spec 07 §2.2.
func (a *WalletArgs) Code(c *codec.Coder) { c.Fixed(a.PublicKey[:]) }

// MultisigArgs spawn a multisig or a vesting account. A key may occur more
// than once and then counts as often.
type MultisigArgs struct {
	Required uint8
	Keys     []wire.NodeID
}

// Code is spec 07 §2.2.
func (a *MultisigArgs) Code(c *codec.Coder) {
	c.Compact8(&a.Required)
	codec.FixedList(c, &a.Keys, MaxKeys)
}

// VaultArgs spawn a vault, which frees Total to Owner between the layers Start
// and End. Initial is part of the address and has no other effect.
type VaultArgs struct {
	Owner   wire.Address
	Total   uint64
	Initial uint64
	Start   wire.LayerID
	End     wire.LayerID
}

// Code is spec 07 §2.2.
func (a *VaultArgs) Code(c *codec.Coder) {
	c.Fixed(a.Owner[:])
	c.Compact64(&a.Total)
	c.Compact64(&a.Initial)
	a.Start.Code(c)
	a.End.Code(c)
}

// SpendArgs move coins from the principal.
type SpendArgs struct {
	To     wire.Address
	Amount uint64
}

// Code is spec 07 §2.2.
func (a *SpendArgs) Code(c *codec.Coder) {
	c.Fixed(a.To[:])
	c.Compact64(&a.Amount)
}

// DrainArgs move coins from a vault that the principal owns.
type DrainArgs struct {
	Vault wire.Address
	SpendArgs
}

// Code is spec 07 §2.2.
func (a *DrainArgs) Code(c *codec.Coder) {
	c.Fixed(a.Vault[:])
	a.SpendArgs.Code(c)
}
