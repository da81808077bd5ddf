package vm_test

import (
	"crypto/ed25519"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"
)

// spends is a layer in which each of n wallets sends a coin to the next one.
func spends(tb testing.TB, n int, signed bool) (ledger, vm.Input) {
	tb.Helper()
	template := vm.Wallet.Address()
	accounts := make(ledger, n)
	addresses := make([]wire.Address, n)
	seeds := make([][]byte, n)
	for i := range addresses {
		seeds[i] = make([]byte, ed25519.SeedSize)
		binary.LittleEndian.PutUint64(seeds[i], uint64(i))
		key := wire.NodeID(wire.Sum(seeds[i]))
		if signed {
			key = wire.NodeID(ed25519.NewKeyFromSeed(seeds[i]).Public().(ed25519.PublicKey))
		}
		addresses[i] = vm.Principal(vm.Wallet, &vm.WalletArgs{PublicKey: key})
		accounts[addresses[i]] = wire.Account{
			Address: addresses[i], Balance: 1e12, NextNonce: 1, TemplateAddress: &template, State: key[:],
		}
	}
	in := vm.Input{Layer: 10}
	for i, a := range addresses {
		raw := vm.Spend(a, vm.SpendArgs{To: addresses[(i+1)%n], Amount: 1000}, vm.Payload{Nonce: 1, GasPrice: 1})
		signature := make([]byte, 64)
		if signed {
			signature = ed25519.Sign(ed25519.NewKeyFromSeed(seeds[i]), raw)
		}
		raw = append(raw, signature...)
		in.Txs = append(in.Txs, vm.Tx{ID: wire.NewRawTx(raw).ID, Raw: raw, Verified: !signed})
	}
	return accounts, in
}

func benchMachine() *vm.Machine {
	return vm.New(vm.Params{BlockGasLimit: 1<<64 - 1, HRP: "sm"}, signing.NewVerifier(nil))
}

// The goal is 150,000 spends a second on a core: 100,000 in 667 ms.
func BenchmarkApply100kSpends(b *testing.B) {
	accounts, in := spends(b, 100_000, false)
	m := benchMachine()
	b.ReportAllocs()
	for b.Loop() {
		effects, err := m.Apply(in, accounts)
		if err != nil || len(effects.Executed) != len(in.Txs) {
			b.Fatal(err, len(effects.Executed))
		}
	}
	b.ReportMetric(float64(len(in.Txs)*b.N)/b.Elapsed().Seconds(), "tx/s")
}

func BenchmarkParse(b *testing.B) {
	accounts, in := spends(b, 1000, false)
	m := benchMachine()
	var tx vm.Transaction
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := m.Parse(&tx, in.Txs[i%len(in.Txs)].Raw, accounts); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPreverify(b *testing.B) {
	accounts, in := spends(b, 2048, true)
	m := benchMachine()
	b.ReportAllocs()
	for b.Loop() {
		for i := range in.Txs {
			in.Txs[i].Verified = false
		}
		if err := m.Preverify(in.Txs, accounts); err != nil {
			b.Fatal(err)
		}
	}
	for i := range in.Txs {
		require.True(b, in.Txs[i].Verified)
	}
	b.ReportMetric(float64(len(in.Txs)*b.N)/b.Elapsed().Seconds(), "tx/s")
}
