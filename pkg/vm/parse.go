package vm

import (
	"errors"
	"fmt"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Parse reads raw against the accounts' current state into tx, which keeps raw.
// Errors are a RuleError, or ErrState if an account could not be used (spec 07
// §6.1). Nonce, balance and gas price are not judged.
func (m *Machine) Parse(tx *Transaction, raw []byte, accounts AccountReader) error {
	if err := tx.readHead(raw); err != nil {
		return err
	}
	principal, err := accounts.Account(tx.Header.Principal)
	if err != nil {
		return stateError(tx.Header.Principal, err)
	}
	return tx.readBody(&principal)
}

// stateError marks a failure of the reader as ours.
func stateError(address wire.Address, err error) error {
	return fmt.Errorf("%w: read %v: %w", ErrState, address, err)
}

// readHead does the steps before the principal's account is needed.
func (tx *Transaction) readHead(raw []byte) error {
	if len(raw) > MaxTransaction {
		return broken(RuleSize, "over 1024 bytes")
	}
	var h head
	n, err := codec.DecodePrefix(raw, &h)
	if err != nil {
		return broken(RuleMalformed, err.Error())
	}
	if h.version != 0 {
		return broken(RuleMalformed, "unknown version")
	}
	tx.raw, tx.bodyEnd, tx.SelfSpawn = raw, n, false
	tx.Header = wire.TxHeader{Principal: h.principal, Method: h.method}
	return nil
}

// readBody does the steps from loading the principal on.
func (tx *Transaction) readBody(principal *wire.Account) error {
	isSpawned := principal.TemplateAddress != nil
	if isSpawned {
		if err := tx.signer.load(principal); err != nil {
			return err
		}
	}
	if err := tx.chooseTemplates(isSpawned); err != nil {
		return err
	}
	n, err := codec.DecodePrefix(tx.raw[tx.bodyEnd:], (*body)(tx))
	if err != nil {
		return broken(RuleMalformed, err.Error())
	}
	tx.bodyEnd += n
	if tx.Header.Method == MethodSpawn {
		if err := tx.judgeSpawn(isSpawned); err != nil {
			return err
		}
	}
	tx.price()
	return nil
}

// chooseTemplates finds whose payload and whose arguments are written.
func (tx *Transaction) chooseTemplates(isSpawned bool) error {
	tx.template = tx.signer.template
	if tx.Header.Method == MethodSpawn {
		if err := tx.readTemplate(); err != nil {
			return err
		}
	} else if !isSpawned {
		return broken(RuleNotSpawned, "")
	}
	payload := tx.template
	if isSpawned {
		payload = tx.signer.template
	}
	tx.payload = payload != Vault
	tx.Header.TemplateAddress = tx.template.Address()
	if !tx.template.has(tx.Header.Method) {
		return broken(RuleMalformed, "unknown method")
	}
	return nil
}

// readTemplate reads the template that a spawn names.
func (tx *Transaction) readTemplate() error {
	rest := tx.raw[tx.bodyEnd:]
	if len(rest) < len(wire.Address{}) {
		return broken(RuleMalformed, codec.ErrEOF.Error())
	}
	t, ok := TemplateAt(wire.Address(rest[:len(wire.Address{})]))
	if !ok {
		return broken(RuleMalformed, "unknown template")
	}
	tx.template, tx.spawned.template = t, t
	tx.bodyEnd += len(wire.Address{})
	return nil
}

// judgeSpawn tells a self-spawn from the spawn of another account. In a
// self-spawn the signer is built from the arguments, even if the principal is
// spawned already.
func (tx *Transaction) judgeSpawn(isSpawned bool) error {
	tx.SelfSpawn = tx.target() == tx.Header.Principal
	if !tx.SelfSpawn && !isSpawned {
		return broken(RuleNotSpawned, "")
	}
	if err := tx.spawned.validate(); err != nil {
		return err
	}
	if tx.SelfSpawn {
		tx.signer = tx.spawned
	}
	return nil
}

// target is the address that a spawn's arguments commit to.
func (tx *Transaction) target() wire.Address {
	return principalOf(codec.MustEncode(&tx.spawned), tx.Header.TemplateAddress)
}

// price computes gas and spending (spec 07 §5.3).
func (tx *Transaction) price() {
	method := tx.Header.Method
	tx.Base = tx.signer.baseGas(method)
	tx.Intrinsic = tx.Base + DataGas(len(tx.raw))
	switch {
	case tx.SelfSpawn:
		tx.Fixed = tx.spawned.execGas(MethodSpawn)
	case method == MethodSpawn:
		tx.Fixed = tx.signer.loadGas() + tx.spawned.execGas(MethodSpawn)
	default:
		tx.Fixed = tx.signer.loadGas() + tx.signer.execGas(method)
	}
	tx.Header.MaxGas = tx.Intrinsic + tx.Fixed
	if method == MethodSpend && tx.template != Vault {
		tx.Header.MaxSpend = tx.spend.Amount
	}
}

// IsInternal tells whether an error of Parse is ours rather than the sender's.
func IsInternal(err error) bool { return errors.Is(err, ErrState) }
