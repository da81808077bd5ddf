package vm

import (
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Payload is the part of a transaction that the sender chooses besides the
// method and its arguments.
type Payload struct{ Nonce, GasPrice uint64 }

// SelfSpawn is the unsigned transaction by which an account spawns itself (spec
// 07 §2.4).
func SelfSpawn(t Template, args codec.Coded, p Payload) []byte {
	return Spawn(Principal(t, args), t, args, p)
}

// Spawn is the unsigned transaction by which principal spawns the account that
// template and arguments make.
func Spawn(principal wire.Address, t Template, args codec.Coded, p Payload) []byte {
	template := t.Address()
	raw := append(call(principal, MethodSpawn), template[:]...)
	return p.call(raw, args)
}

// Spend is the unsigned transaction by which principal sends coins.
func Spend(principal wire.Address, args SpendArgs, p Payload) []byte {
	return p.call(call(principal, MethodSpend), &args)
}

// Drain is the unsigned transaction by which a vesting account sends coins of
// its vault.
func Drain(principal wire.Address, args DrainArgs, p Payload) []byte {
	return p.call(call(principal, MethodDrain), &args)
}

// SignedBytes is what every signer of an unsigned transaction signs.
func SignedBytes(genesisID wire.Hash20, unsigned []byte) []byte {
	return append(genesisID[:], unsigned...)
}

// AppendKeyedSignature appends one part of a multisig's signature. Parts go in
// ascending order of key; a wallet's signature is appended as it is.
func AppendKeyedSignature(raw []byte, key uint8, signature wire.EdSignature) []byte {
	return append(codec.AppendCompact(raw, uint64(key)), signature[:]...)
}

func call(principal wire.Address, method uint8) []byte {
	raw := codec.AppendCompact(make([]byte, 0, 256), 0)
	return codec.AppendCompact(append(raw, principal[:]...), uint64(method))
}

func (p Payload) call(raw []byte, args codec.Coded) []byte {
	raw = codec.AppendCompact(codec.AppendCompact(raw, p.Nonce), p.GasPrice)
	return append(raw, codec.MustEncode(args)...)
}
