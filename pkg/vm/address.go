package vm

import (
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Template is the number of a built-in template (spec 07 §4).
type Template uint8

// The registry of templates is closed.
const (
	Wallet   Template = 1
	Multisig Template = 2
	Vesting  Template = 3
	Vault    Template = 4
)

// Address is the address that names the template (spec 07 §1.1).
func (t Template) Address() (a wire.Address) {
	a[len(a)-1] = byte(t)
	return a
}

func (t Template) String() string {
	switch t {
	case Wallet:
		return "wallet"
	case Multisig:
		return "multisig"
	case Vesting:
		return "vesting"
	case Vault:
		return "vault"
	}
	return "unknown"
}

// TemplateAt is the registered template that an address names.
func TemplateAt(a wire.Address) (Template, bool) {
	t := Template(a[len(a)-1])
	return t, t >= Wallet && t <= Vault && a == t.Address()
}

// Principal derives the address of an account from its template and its spawn
// arguments, one of WalletArgs, MultisigArgs and VaultArgs (spec 07 §1.5).
func Principal(t Template, args codec.Coded) wire.Address {
	template := t.Address()
	return principalOf(codec.MustEncode(args), template)
}

func principalOf(encodedArgs []byte, template wire.Address) (a wire.Address) {
	h := wire.Sum(template[:], encodedArgs)
	copy(a[4:], h[12:])
	return a
}
