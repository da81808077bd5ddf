package v2

import (
	"encoding/hex"
	"errors"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v2alpha1"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"
)

// singleSignature is how many bytes a wallet's signature leaves behind the
// arguments; templates with several keys leave more.
const singleSignature = 64

var errContents = errors.New("unknown method or template")

// prelude is a transaction up to its arguments (spec 07 §2.1).
type prelude struct {
	method          uint8
	template        wire.Address
	nonce, gasPrice uint64
}

// Code reads what the API shows of any transaction.
func (p *prelude) Code(c *codec.Coder) {
	var version uint8
	var principal wire.Address
	c.Compact8(&version)
	c.Fixed(principal[:])
	c.Compact8(&p.method)
	if p.method == vm.MethodSpawn {
		c.Fixed(p.template[:])
	}
	c.Compact64(&p.nonce)
	c.Compact64(&p.gasPrice)
}

// contents tells what a transaction does, from its bytes alone (spec 09 §3.8).
func contents(text func(wire.Address) string, raw []byte) (pb.Transaction_TransactionType, *pb.TransactionContents, error) {
	var p prelude
	n, err := codec.DecodePrefix(raw, &p)
	if err != nil {
		return 0, nil, err
	}
	switch rest := raw[n:]; p.method {
	case vm.MethodSpawn:
		return spawn(text, p.template, rest)
	case vm.MethodSpend:
		return send(text, rest)
	case vm.MethodDrain:
		return drain(text, rest)
	}
	return 0, nil, errContents
}

func send(text func(wire.Address) string, rest []byte) (pb.Transaction_TransactionType, *pb.TransactionContents, error) {
	var a vm.SpendArgs
	n, err := codec.DecodePrefix(rest, &a)
	if err != nil {
		return 0, nil, err
	}
	kind := pb.Transaction_TRANSACTION_TYPE_SINGLE_SIG_SEND
	if len(rest)-n > singleSignature {
		kind = pb.Transaction_TRANSACTION_TYPE_MULTI_SIG_SEND
	}
	return kind, &pb.TransactionContents{Contents: &pb.TransactionContents_Send{
		Send: &pb.ContentsSend{Destination: text(a.To), Amount: a.Amount},
	}}, nil
}

func drain(text func(wire.Address) string, rest []byte) (pb.Transaction_TransactionType, *pb.TransactionContents, error) {
	var a vm.DrainArgs
	if _, err := codec.DecodePrefix(rest, &a); err != nil {
		return 0, nil, err
	}
	return pb.Transaction_TRANSACTION_TYPE_DRAIN_VAULT, &pb.TransactionContents{Contents: &pb.TransactionContents_DrainVault{
		DrainVault: &pb.ContentsDrainVault{Vault: text(a.Vault), Destination: text(a.To), Amount: a.Amount},
	}}, nil
}

func spawn(text func(wire.Address) string, template wire.Address, rest []byte) (pb.Transaction_TransactionType, *pb.TransactionContents, error) {
	t, ok := vm.TemplateAt(template)
	if !ok {
		return 0, nil, errContents
	}
	switch t {
	case vm.Wallet:
		var a vm.WalletArgs
		_, err := codec.DecodePrefix(rest, &a)
		return pb.Transaction_TRANSACTION_TYPE_SINGLE_SIG_SPAWN, &pb.TransactionContents{Contents: &pb.TransactionContents_SingleSigSpawn{
			SingleSigSpawn: &pb.ContentsSingleSigSpawn{Pubkey: hex.EncodeToString(a.PublicKey[:])},
		}}, err
	case vm.Multisig:
		keys, err := multisig(rest)
		return pb.Transaction_TRANSACTION_TYPE_MULTI_SIG_SPAWN, &pb.TransactionContents{Contents: &pb.TransactionContents_MultiSigSpawn{
			MultiSigSpawn: keys,
		}}, err
	case vm.Vesting:
		keys, err := multisig(rest)
		return pb.Transaction_TRANSACTION_TYPE_VESTING_SPAWN, &pb.TransactionContents{Contents: &pb.TransactionContents_VestingSpawn{
			VestingSpawn: keys,
		}}, err
	case vm.Vault:
		var a vm.VaultArgs
		_, err := codec.DecodePrefix(rest, &a)
		return pb.Transaction_TRANSACTION_TYPE_VAULT_SPAWN, &pb.TransactionContents{Contents: &pb.TransactionContents_VaultSpawn{
			VaultSpawn: &pb.ContentsVaultSpawn{
				Owner: text(a.Owner), TotalAmount: a.Total, InitialUnlockAmount: a.Initial,
				VestingStart: uint32(a.Start), VestingEnd: uint32(a.End),
			},
		}}, err
	}
	return 0, nil, errContents
}

func multisig(rest []byte) (*pb.ContentsMultiSigSpawn, error) {
	var a vm.MultisigArgs
	if _, err := codec.DecodePrefix(rest, &a); err != nil {
		return nil, err
	}
	out := &pb.ContentsMultiSigSpawn{Required: uint32(a.Required), Pubkey: make([]string, len(a.Keys))}
	for i, key := range a.Keys {
		out.Pubkey[i] = hex.EncodeToString(key[:])
	}
	return out, nil
}
