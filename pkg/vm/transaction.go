package vm

import (
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// MaxTransaction is the largest raw transaction in bytes (spec 07 §2).
const MaxTransaction = 1024

// Transaction is raw bytes and what they mean to the state they were parsed
// against. It may be used again for another Parse.
type Transaction struct {
	// Header is what is stored with the transaction.
	Header wire.TxHeader
	// SelfSpawn says that the principal spawns itself.
	SelfSpawn bool
	// Base, Fixed and Intrinsic gas make up Header.MaxGas (spec 07 §5.3).
	Base, Fixed, Intrinsic uint64

	raw      []byte
	bodyEnd  int // where the signature part starts
	signer   contract
	spawned  contract
	spend    SpendArgs
	drain    DrainArgs
	template Template // whose methods run
	payload  bool     // nonce and gas price are written
}

// Raw is the bytes that were parsed.
func (tx *Transaction) Raw() []byte { return tx.raw }

// Args is the method's arguments: WalletArgs, MultisigArgs, VaultArgs,
// SpendArgs or DrainArgs. It is overwritten by the next Parse.
func (tx *Transaction) Args() codec.Coded {
	switch tx.Header.Method {
	case MethodSpawn:
		return tx.spawned.args()
	case MethodSpend:
		return &tx.spend
	default:
		return &tx.drain
	}
}

// head is the part of a transaction that can be read without the state.
type head struct {
	version   uint8
	principal wire.Address
	method    uint8
}

// Code is rows 1 to 3 of spec 07 §2.1.
func (h *head) Code(c *codec.Coder) {
	c.Compact8(&h.version)
	c.Fixed(h.principal[:])
	c.Compact8(&h.method)
}

// body is a transaction as the rest of its layout: rows 5 to 7 of spec 07 §2.1,
// for the templates and the method that were found before.
type body Transaction

// Code is rows 5 to 7 of spec 07 §2.1.
func (b *body) Code(c *codec.Coder) {
	if b.payload {
		c.Compact64(&b.Header.Nonce)
		c.Compact64(&b.Header.GasPrice)
	}
	switch b.Header.Method {
	case MethodSpawn:
		b.spawned.Code(c)
	case MethodSpend:
		b.spend.Code(c)
	case MethodDrain:
		b.drain.Code(c)
	}
}
