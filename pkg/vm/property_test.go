package vm_test

import (
	"crypto/ed25519"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/rewards"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"
)

// world is a handful of accounts that send each other whatever rapid draws.
type world struct {
	machine *vm.Machine
	keys    []ed25519.PrivateKey
	actors  []actor
}

type actor struct {
	template vm.Template
	args     codec.Coded
	address  wire.Address
}

const worldLayer = 8

func newWorld() *world {
	w := &world{machine: vm.New(vm.Params{BlockGasLimit: 1_500_000, FirstEffectiveGenesis: 7, EffectiveGenesis: 7, HRP: "sm"},
		signing.NewVerifier(nil))}
	var keys []wire.NodeID
	for i := range byte(3) {
		key := ed25519.NewKeyFromSeed(slices.Repeat([]byte{i}, ed25519.SeedSize))
		w.keys = append(w.keys, key)
		keys = append(keys, wire.NodeID(key.Public().(ed25519.PublicKey)))
	}
	add := func(template vm.Template, args codec.Coded) wire.Address {
		a := vm.Principal(template, args)
		w.actors = append(w.actors, actor{template: template, args: args, address: a})
		return a
	}
	add(vm.Wallet, &vm.WalletArgs{PublicKey: keys[0]})
	add(vm.Wallet, &vm.WalletArgs{PublicKey: keys[1]})
	add(vm.Multisig, &vm.MultisigArgs{Required: 2, Keys: keys})
	owner := add(vm.Vesting, &vm.MultisigArgs{Required: 1, Keys: keys[:2]})
	add(vm.Vault, &vm.VaultArgs{Owner: owner, Total: 1000, Initial: 250, Start: worldLayer, End: worldLayer + 10})
	return w
}

func (w *world) state(t *rapid.T) history {
	state := history{}
	for _, a := range w.actors {
		account := wire.Account{Address: a.address, Balance: rapid.Uint64Range(0, 2_000_000).Draw(t, "balance")}
		if rapid.Bool().Draw(t, "spawned") {
			template := a.template.Address()
			account.TemplateAddress, account.State = &template, codec.MustEncode(a.args)
		}
		state.add(account)
	}
	return state
}

func (w *world) tx(t *rapid.T) vm.Tx {
	from, to, other := rapid.IntRange(0, len(w.actors)-1), w.draw(t), w.draw(t)
	sender := w.actors[from.Draw(t, "from")]
	payload := vm.Payload{
		Nonce:    rapid.Uint64Range(0, 4).Draw(t, "nonce"),
		GasPrice: rapid.SampledFrom([]uint64{0, 1, 1, 1, 2, 1 << 62, 1<<64 - 1}).Draw(t, "price"),
	}
	amount := rapid.SampledFrom([]uint64{0, 1, 100, 900, 1_000_000, 1<<64 - 1}).Draw(t, "amount")
	spend := vm.SpendArgs{To: to.address, Amount: amount}
	var raw []byte
	switch rapid.IntRange(0, 3).Draw(t, "method") {
	case 0:
		raw = vm.SelfSpawn(sender.template, sender.args, payload)
	case 1:
		raw = vm.Spawn(sender.address, other.template, other.args, payload)
	case 2:
		raw = vm.Spend(sender.address, spend, payload)
	case 3:
		raw = vm.Drain(sender.address, vm.DrainArgs{Vault: other.address, SpendArgs: spend}, payload)
	}
	raw = w.sign(sender, raw)
	return vm.Tx{ID: wire.NewRawTx(raw).ID, Raw: raw}
}

func (w *world) draw(t *rapid.T) actor { return rapid.SampledFrom(w.actors).Draw(t, "actor") }

func (w *world) sign(a actor, raw []byte) []byte {
	required := 1
	switch args := a.args.(type) {
	case *vm.WalletArgs:
		for _, key := range w.keys {
			if wire.NodeID(key.Public().(ed25519.PublicKey)) == args.PublicKey {
				return append(raw, ed25519.Sign(key, raw)...)
			}
		}
	case *vm.MultisigArgs:
		required = int(args.Required)
	}
	unsigned := raw
	for key := range required {
		raw = vm.AppendKeyedSignature(raw, uint8(key), wire.EdSignature(ed25519.Sign(w.keys[key], unsigned)))
	}
	return raw
}

func total(accounts []wire.Account) (sum uint64) {
	for _, a := range accounts {
		sum += a.Balance
	}
	return sum
}

// Whatever a layer holds: coins are only created by rewards and only destroyed
// by fees, every touched account is written once and in order, results add up,
// and undoing the layer restores everything, so that applying it again gives the
// same effects.
func TestApplyProperties(t *testing.T) {
	w := newWorld()
	rapid.Check(t, func(t *rapid.T) {
		state := w.state(t)
		before := state.all()
		in := vm.Input{Layer: worldLayer, Txs: rapid.SliceOfN(rapid.Custom(w.tx), 0, 12).Draw(t, "txs")}
		if rapid.Bool().Draw(t, "rewarded") {
			in.Rewards = []rewards.Share{{Coinbase: w.draw(t).address, Num: 1, Denom: 3}, {Num: 2, Denom: 3}}
		}
		effects, err := w.machine.Apply(in, state)
		require.NoError(t, err)
		state.add(effects.Accounts...)
		checkBalance(t, before, state.all(), effects)
		checkExecuted(t, in, effects)
		require.Equal(t, rootOf(effects.Accounts), effects.StateRoot)

		state.revert(worldLayer - 1)
		require.Equal(t, before, state.all())
		again, err := w.machine.Apply(in, state)
		require.NoError(t, err)
		require.Equal(t, effects, again)
	})
}

func checkBalance(t *rapid.T, before, after []wire.Account, effects vm.Effects) {
	created := uint64(0)
	for _, r := range effects.Rewards {
		created += r.TotalReward
	}
	require.LessOrEqual(t, created, effects.Subsidy+effects.Fees)
	require.Equal(t, total(before)-effects.Fees+created, total(after))
}

func checkExecuted(t *rapid.T, in vm.Input, effects vm.Effects) {
	require.Len(t, in.Txs, len(effects.Executed)+len(effects.Ineffective))
	var fees, gas uint64
	touched := []wire.Address{}
	for _, e := range effects.Executed {
		fees, gas = fees+e.Result.Fee, gas+e.Result.Gas
		require.Equal(t, e.Header.MaxGas, e.Result.Gas)
		require.Equal(t, e.Header.Principal, e.Result.Addresses[0])
		if e.Result.Status == wire.TxFailure {
			require.NotEmpty(t, e.Result.Message)
			require.Len(t, e.Result.Addresses, 1)
		}
		touched = append(touched, e.Result.Addresses...)
	}
	for _, r := range effects.Rewards {
		touched = append(touched, r.Coinbase)
	}
	require.Equal(t, effects.Fees, fees)
	require.LessOrEqual(t, gas, uint64(1_500_000))
	want := []wire.Address{}
	for _, a := range touched {
		if !slices.Contains(want, a) {
			want = append(want, a)
		}
	}
	have := []wire.Address{}
	for _, a := range effects.Accounts {
		require.EqualValues(t, worldLayer, a.Layer)
		have = append(have, a.Address)
	}
	require.Equal(t, want, have)
}

// rootOf is spec 07 §8 word for word.
func rootOf(accounts []wire.Account) wire.Hash32 {
	var all []byte
	for i := range accounts {
		all = append(all, codec.MustEncode(&accounts[i])...)
	}
	return wire.Sum(all)
}

// recorder remembers which accounts were asked for.
type recorder struct {
	AccountsOf vm.AccountReader
	asked      []wire.Address
}

func (r *recorder) Account(a wire.Address) (wire.Account, error) {
	r.asked = append(r.asked, a)
	return r.AccountsOf.Account(a)
}

// Everything that applying a transaction reads was announced by AppendReads.
func TestReadsAreAnnounced(t *testing.T) {
	w := newWorld()
	rapid.Check(t, func(t *rapid.T) {
		tx := w.tx(t)
		reader := &recorder{AccountsOf: w.state(t)}
		_, err := w.machine.Apply(vm.Input{Layer: worldLayer, Txs: []vm.Tx{tx}}, reader)
		require.NoError(t, err)
		require.Subset(t, vm.AppendReads(nil, tx.Raw), reader.asked)
	})
}

var errDisk = errors.New("disk gone")

type brokenReader struct{}

func (brokenReader) Account(wire.Address) (wire.Account, error) { return wire.Account{}, errDisk }

// A failing database is our failure: it must never look like a bad transaction,
// which would let the state of nodes diverge.
func TestFailingReaderAbortsTheLayer(t *testing.T) {
	_, in := spends(t, 3, false)
	_, err := benchMachine().Apply(in, brokenReader{})
	require.ErrorIs(t, err, vm.ErrState)
	require.ErrorIs(t, err, errDisk)
	in.Txs = nil
	in.Rewards = []rewards.Share{{Num: 1, Denom: 1}}
	_, err = benchMachine().Apply(in, brokenReader{})
	require.ErrorIs(t, err, vm.ErrState)
}

func TestLayerBeforeGenesis(t *testing.T) {
	m := vm.New(vm.Params{FirstEffectiveGenesis: 7, EffectiveGenesis: 100}, signing.NewVerifier(nil))
	_, err := m.Apply(vm.Input{Layer: 99}, history{})
	require.ErrorIs(t, err, vm.ErrLayer)
	effects, err := m.Apply(vm.Input{Layer: 100}, history{})
	require.NoError(t, err)
	require.Equal(t, rewards.NewSchedule().Subsidy(93), effects.Subsidy, "a checkpoint does not restart the subsidy")
}
