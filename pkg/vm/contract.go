package vm

import (
	"fmt"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Methods of templates (spec 07 §2.1).
const (
	MethodSpawn uint8 = 0
	MethodSpend uint8 = 16
	MethodDrain uint8 = 17
)

// contract is a template with its arguments. It is one struct for all
// templates, so that parsing a transaction does not allocate.
type contract struct {
	template Template
	wallet   WalletArgs
	multisig MultisigArgs
	vault    VaultArgs
}

// Code is the encoding of spawn arguments and, the same for every template, of
// account state (spec 07 §3.1).
func (k *contract) Code(c *codec.Coder) {
	switch k.template {
	case Wallet:
		k.wallet.Code(c)
	case Multisig, Vesting:
		k.multisig.Code(c)
	case Vault:
		k.vault.Code(c)
	}
}

// args is the argument struct of the contract's template.
func (k *contract) args() codec.Coded {
	switch k.template {
	case Wallet:
		return &k.wallet
	case Vault:
		return &k.vault
	default:
		return &k.multisig
	}
}

// has tells whether the template knows the method.
func (t Template) has(method uint8) bool {
	return method == MethodSpawn || method == MethodSpend || method == MethodDrain && t == Vesting
}

// load reads the contract of a spawned account.
func (k *contract) load(account *wire.Account) error {
	t, ok := TemplateAt(*account.TemplateAddress)
	if !ok {
		return broken(RuleMalformed, "principal has an unknown template")
	}
	k.template = t
	if _, err := codec.DecodePrefix(account.State, k); err != nil {
		return fmt.Errorf("%w: %v of %v: %w", ErrState, t, account.Address, err)
	}
	return nil
}

// validate is the constructor's checks, in the order of spec 07 §4.
func (k *contract) validate() error {
	switch m, v := &k.multisig, &k.vault; {
	case k.template == Wallet:
	case k.template == Vault && v.Initial > v.Total:
		return broken(RuleArguments, "initial unlock exceeds total")
	case k.template == Vault && v.End < v.Start:
		return broken(RuleArguments, "vesting ends before it starts")
	case k.template == Vault:
	case m.Required == 0:
		return broken(RuleArguments, "no signature required")
	case len(m.Keys) < int(m.Required):
		return broken(RuleArguments, "more signatures required than keys given")
	}
	return nil
}
