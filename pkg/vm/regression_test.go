package vm_test

import (
	"crypto/ed25519"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/rewards"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"
)

// These tests hold behaviour that looks like a mistake and is consensus (spec 07
// §18), and show that it does no harm here.

// lone is a spawned wallet with a balance, and a spend of its.
func lone(balance, nextNonce uint64, args vm.SpendArgs, p vm.Payload) (ledger, vm.Tx) {
	template := vm.Wallet.Address()
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	public := wire.NodeID(key.Public().(ed25519.PublicKey))
	a := vm.Principal(vm.Wallet, &vm.WalletArgs{PublicKey: public})
	raw := vm.Spend(a, args, p)
	raw = append(raw, ed25519.Sign(key, raw)...)
	account := wire.Account{Address: a, Balance: balance, NextNonce: nextNonce, TemplateAddress: &template, State: public[:]}
	return ledger{a: account}, vm.Tx{ID: wire.NewRawTx(raw).ID, Raw: raw}
}

func applyOne(t *testing.T, accounts vm.AccountReader, txs ...vm.Tx) vm.Effects {
	effects, err := benchMachine().Apply(vm.Input{Layer: 9, Txs: txs}, accounts)
	require.NoError(t, err)
	return effects
}

// The check of the balance counts gas units and not their price: whoever passes it
// and cannot pay loses everything, and no more than that.
func TestIntrinsicCheckIgnoresThePrice(t *testing.T) {
	accounts, tx := lone(24920, 0, vm.SpendArgs{}, vm.Payload{GasPrice: 1000})
	got := applyOne(t, accounts, tx)
	require.Equal(t, "out of gas", got.Executed[0].Result.Message)
	require.Equal(t, uint64(24920), got.Fees)
	require.Zero(t, got.Accounts[0].Balance)

	accounts, tx = lone(24919, 0, vm.SpendArgs{}, vm.Payload{GasPrice: 1000})
	got = applyOne(t, accounts, tx)
	require.Empty(t, got.Accounts)
	require.Equal(t, vm.RuleIntrinsicGas, got.Ineffective[0].Reason)
}

// Gas times price wraps: an absurd price can be cheap, but it pays what it wraps
// to and creates no coins.
func TestFeeWraps(t *testing.T) {
	const balance = 1 << 40
	for _, price := range []uint64{1 << 62, 1 << 63, 1<<64 - 1} {
		accounts, tx := lone(balance, 0, vm.SpendArgs{}, vm.Payload{GasPrice: price})
		got := applyOne(t, accounts, tx)
		require.LessOrEqual(t, got.Fees, uint64(balance))
		principal := got.Accounts[0]
		require.Equal(t, uint64(balance)-got.Fees, principal.Balance)
	}
}

// After the last nonce comes the first. The state machine then takes old
// transactions again; that is why the executor leaves out what has a result.
func TestNonceWraps(t *testing.T) {
	accounts, tx := lone(1<<40, 5, vm.SpendArgs{}, vm.Payload{Nonce: 1<<64 - 1, GasPrice: 1})
	got := applyOne(t, accounts, tx)
	require.Zero(t, got.Accounts[0].NextNonce)
}

// A balance that would pass 2^64 wraps: coins vanish, none appear.
func TestBalanceWraps(t *testing.T) {
	to := wire.Address{9}
	accounts, tx := lone(1<<40, 0, vm.SpendArgs{To: to, Amount: 2}, vm.Payload{GasPrice: 1})
	accounts[to] = wire.Account{Address: to, Balance: 1<<64 - 1}
	got := applyOne(t, accounts, tx)
	require.Equal(t, uint64(1), got.Accounts[1].Balance)
}

// One key may stand for several of a multisig's; each part still needs its own
// index, so that a signature is not counted twice.
func TestMultisigWithOneKeyTwice(t *testing.T) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	public := wire.NodeID(key.Public().(ed25519.PublicKey))
	args := &vm.MultisigArgs{Required: 2, Keys: []wire.NodeID{public, public}}
	raw := vm.SelfSpawn(vm.Multisig, args, vm.Payload{GasPrice: 1})
	signature := wire.EdSignature(ed25519.Sign(key, raw))
	valid := func(first, second uint8) bool {
		var tx vm.Transaction
		signed := vm.AppendKeyedSignature(vm.AppendKeyedSignature(raw[:len(raw):len(raw)], first, signature), second, signature)
		require.NoError(t, benchMachine().Parse(&tx, signed, ledger{}))
		return benchMachine().Verify(&tx)
	}
	require.True(t, valid(0, 1))
	require.False(t, valid(0, 0))
	require.False(t, valid(1, 0))
	require.False(t, valid(1, 2))
}

// Restored state is not validated by the network's software. An account that no
// constructor would have made can do nothing, and does not stop a layer.
func TestImpossibleMultisigInState(t *testing.T) {
	template := vm.Multisig.Address()
	a := wire.Address{7}
	for _, state := range [][]byte{{0, 0}, {255 << 2 & 0xff, 0}, {4 * 9, 0}} {
		accounts := ledger{a: {Address: a, Balance: 1 << 40, TemplateAddress: &template, State: state}}
		raw := vm.Spend(a, vm.SpendArgs{}, vm.Payload{GasPrice: 1})
		got := applyOne(t, accounts, vm.Tx{Raw: append(raw, make([]byte, 100)...)})
		require.Empty(t, got.Executed)
		require.Equal(t, vm.RuleSignature, got.Ineffective[0].Reason)
	}
}

// Two ATXs of one identity in one block break the key of the network's rewards
// table and stop it. Here both are paid; consensus keeps such blocks out.
func TestTwoRewardsOfOneIdentity(t *testing.T) {
	in := vm.Input{Layer: 9, Rewards: []rewards.Share{
		{Smesher: wire.NodeID{1}, Coinbase: wire.Address{1}, Num: 1, Denom: 2},
		{Smesher: wire.NodeID{1}, Coinbase: wire.Address{1}, Num: 1, Denom: 2},
	}}
	got, err := benchMachine().Apply(in, ledger{})
	require.NoError(t, err)
	require.Len(t, got.Accounts, 1)
	require.Equal(t, got.Rewards[0].TotalReward*2, got.Accounts[0].Balance)
}

// The root covers one layer only: a layer without changes has the hash of nothing,
// whatever came before.
func TestRootOfNothing(t *testing.T) {
	got := applyOne(t, ledger{})
	require.Equal(t, wire.Sum(), got.StateRoot)
	require.Equal(t, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262", got.StateRoot.String())
}
