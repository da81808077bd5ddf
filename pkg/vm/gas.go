package vm

import "math"

// Prices of spec 07 §5.1. The per-word ones are for every started 8 bytes.
const (
	gasTx            = 20000
	gasSpawn         = 30000
	gasSignature     = 3000
	gasDataWord      = 128
	gasStoreWord     = 5000
	gasUpdateWord    = 725
	gasLoadWord      = 182
	gasAccountAccess = 2500
)

// Sizes in bytes that gas is charged for.
const (
	sizeKey           = 32
	sizeAccountHeader = 36
	sizeBalance       = 8
	sizeVaultState    = sizeAccountHeader + 56
	sizeDrained       = 8
)

// NoGas marks a method that a template does not have.
const NoGas uint64 = math.MaxUint64

// Gas of the methods that move coins.
const (
	gasSpend = gasAccountAccess +
		gasLoadWord*((sizeBalance+7)/8) +
		gasUpdateWord*((sizeAccountHeader+7)/8) +
		gasUpdateWord*((sizeBalance+7)/8)
	gasDrain = gasAccountAccess +
		gasLoadWord*((sizeVaultState+7)/8) +
		gasUpdateWord*((sizeAccountHeader+7)/8) +
		gasUpdateWord*((sizeBalance+sizeDrained+7)/8)
)

// Gas is what a template charges for a method (spec 07 §5.2): Base for being a
// transaction, Load for reading the principal, Exec for the method itself.
type Gas struct{ Base, Load, Exec uint64 }

// GasOf is the price list of spec 07 §5.2 for an account that needs required of
// keys signatures; wallets and vaults ignore both. A method that the template
// does not have costs NoGas.
func GasOf(t Template, method uint8, required, keys int) Gas {
	k := contract{template: t, multisig: MultisigArgs{Required: uint8(required)}}
	return Gas{Base: k.baseGas(method), Load: loadGas(t, keys), Exec: execGas(t, method, keys)}
}

// DataGas is the price of a raw transaction's bytes.
func DataGas(size int) uint64 { return gasDataWord * words(size) }

func words(size int) uint64 { return (uint64(size) + 7) / 8 }

func (k *contract) baseGas(method uint8) uint64 {
	if k.template == Vault {
		return 0
	}
	signatures := uint64(1)
	if k.template != Wallet {
		signatures = uint64(k.multisig.Required)
	}
	switch {
	case method == MethodSpawn:
		return gasTx + gasSpawn + gasSignature*signatures
	case k.template.has(method):
		return gasTx + gasSignature*signatures
	}
	return NoGas
}

func (k *contract) loadGas() uint64 { return loadGas(k.template, len(k.multisig.Keys)) }

func (k *contract) execGas(method uint8) uint64 {
	return execGas(k.template, method, len(k.multisig.Keys))
}

func loadGas(t Template, keys int) uint64 {
	if t == Vault {
		return 0
	}
	return gasAccountAccess + gasLoadWord*accountWords(t, keys)
}

func execGas(t Template, method uint8, keys int) uint64 {
	switch {
	case t == Vault:
		return 0
	case method == MethodSpawn:
		return gasStoreWord * accountWords(t, keys)
	case method == MethodSpend:
		return gasSpend
	case t.has(method):
		return gasDrain
	}
	return NoGas
}

// accountWords is the size of a stored account: its header and its keys.
func accountWords(t Template, keys int) uint64 {
	if t == Wallet {
		keys = 1
	}
	return words(sizeAccountHeader + sizeKey*keys)
}
