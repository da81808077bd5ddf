package vm_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"
)

type buildCase struct {
	parsedJSON
	Input struct {
		GenesisID vectors.Hex `json:"genesis_id"`
		Signer    struct {
			Template string        `json:"template"`
			Seeds    []vectors.Hex `json:"seeds"`
			Required uint8         `json:"required"`
			Address  vectors.Hex   `json:"address"`
		} `json:"signer"`
		Refs      []uint8        `json:"refs"`
		Method    uint8          `json:"method"`
		Nonce     vectors.Uint64 `json:"nonce"`
		GasPrice  vectors.Uint64 `json:"gas_price"`
		To        vectors.Hex    `json:"to"`
		Amount    vectors.Uint64 `json:"amount"`
		Vault     vectors.Hex    `json:"vault"`
		Template  vectors.Hex    `json:"template"`
		SpawnArgs vectors.Hex    `json:"spawn_args"`
	} `json:"input"`
}

// signerArgs are the arguments that spawned the signer.
func (c *buildCase) signerArgs() (vm.Template, codec.Coded) {
	var keys []wire.NodeID
	for _, seed := range c.Input.Signer.Seeds {
		keys = append(keys, wire.NodeID(ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)))
	}
	multisig := &vm.MultisigArgs{Required: c.Input.Signer.Required, Keys: keys}
	switch c.Input.Signer.Template {
	case "wallet":
		return vm.Wallet, &vm.WalletArgs{PublicKey: keys[0]}
	case "multisig":
		return vm.Multisig, multisig
	default:
		return vm.Vesting, multisig
	}
}

// refs are the keys that sign: without word of them the first ones needed.
func (c *buildCase) refs(template vm.Template) (refs []uint8) {
	if template == vm.Wallet || c.Input.Refs != nil {
		return c.Input.Refs
	}
	for ref := range c.Input.Signer.Required {
		refs = append(refs, ref)
	}
	return refs
}

// spawnArgs reads the arguments of a spawn back into their type.
func (c *buildCase) spawnArgs(t *testing.T) (vm.Template, codec.Coded) {
	template, ok := vm.TemplateAt(wire.Address(c.Input.Template))
	require.True(t, ok)
	args := map[vm.Template]codec.Coded{
		vm.Wallet: &vm.WalletArgs{}, vm.Multisig: &vm.MultisigArgs{}, vm.Vesting: &vm.MultisigArgs{}, vm.Vault: &vm.VaultArgs{},
	}[template]
	require.NoError(t, codec.Decode(c.Input.SpawnArgs, args))
	return template, args
}

func (c *buildCase) unsigned(t *testing.T) []byte {
	in := &c.Input
	payload := vm.Payload{Nonce: uint64(in.Nonce), GasPrice: uint64(in.GasPrice)}
	signer := wire.Address(in.Signer.Address)
	spend := func() vm.SpendArgs { return vm.SpendArgs{To: wire.Address(in.To), Amount: uint64(in.Amount)} }
	switch in.Method {
	case vm.MethodSpend:
		return vm.Spend(signer, spend(), payload)
	case vm.MethodDrain:
		return vm.Drain(signer, vm.DrainArgs{Vault: wire.Address(in.Vault), SpendArgs: spend()}, payload)
	}
	template, args := c.spawnArgs(t)
	if vm.Principal(template, args) == signer {
		return vm.SelfSpawn(template, args, payload)
	}
	return vm.Spawn(signer, template, args, payload)
}

func TestBuildVectors(t *testing.T) {
	vectors.Run(t, "vm/tx_build", func(t *testing.T, c buildCase) {
		template, args := c.signerArgs()
		require.Equal(t, wire.Address(c.Input.Signer.Address), vm.Principal(template, args))
		raw := c.unsigned(t)
		message := vm.SignedBytes(wire.Hash20(c.Input.GenesisID), raw)
		sign := func(key uint8) wire.EdSignature {
			return wire.EdSignature(ed25519.Sign(ed25519.NewKeyFromSeed(c.Input.Signer.Seeds[key]), message))
		}
		if template == vm.Wallet {
			signature := sign(0)
			raw = append(raw, signature[:]...)
		}
		for _, ref := range c.refs(template) {
			raw = vm.AppendKeyedSignature(raw, ref, sign(ref))
		}
		require.Equal(t, c.Raw.String(), hex.EncodeToString(raw))
		checkParse(t, machine(c.Input.GenesisID), c.parsedJSON)
	})
}
