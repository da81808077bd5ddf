package vm_test

import (
	"cmp"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/rewards"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"
)

type applyStep struct {
	Op    string       `json:"op"`
	Layer wire.LayerID `json:"layer"`
	Txs   []struct {
		Raw      vectors.Hex `json:"raw"`
		Verified bool        `json:"verified"`
	} `json:"txs"`
	Rewards []struct {
		Smesher  vectors.Hex    `json:"smesher"`
		Coinbase vectors.Hex    `json:"coinbase"`
		Num      vectors.Uint64 `json:"num"`
		Denom    vectors.Uint64 `json:"denom"`
	} `json:"rewards"`
	Expect struct {
		Error   string `json:"error"`
		Results []struct {
			ID        vectors.Hex    `json:"id"`
			Status    uint8          `json:"status"`
			Message   string         `json:"message"`
			Gas       vectors.Uint64 `json:"gas"`
			Fee       vectors.Uint64 `json:"fee"`
			Layer     wire.LayerID   `json:"layer"`
			Addresses []vectors.Hex  `json:"addresses"`
		} `json:"results"`
		Ineffective []struct {
			ID        vectors.Hex `json:"id"`
			HasHeader bool        `json:"has_header"`
		} `json:"ineffective"`
		Rewards []struct {
			Smesher     vectors.Hex    `json:"smesher"`
			Coinbase    vectors.Hex    `json:"coinbase"`
			TotalReward vectors.Uint64 `json:"total_reward"`
			LayerReward vectors.Uint64 `json:"layer_reward"`
		} `json:"rewards"`
		UpdatedAccounts []accountJSON `json:"updated_accounts"`
		StateRoot       vectors.Hex   `json:"state_root"`
		Accounts        []accountJSON `json:"accounts"`
	} `json:"expect"`
}

type applyCase struct {
	GasLimit vectors.Uint64 `json:"gas_limit"`
	Genesis  []accountJSON  `json:"genesis"`
	Steps    []applyStep    `json:"steps"`
}

// history is account versions; it reads the newest of each.
type history map[wire.Address][]wire.Account

func (h history) add(accounts ...wire.Account) {
	for _, a := range accounts {
		h[a.Address] = append(h[a.Address], a)
	}
}

func (h history) Account(a wire.Address) (wire.Account, error) {
	if versions := h[a]; len(versions) > 0 {
		return versions[len(versions)-1], nil
	}
	return wire.Account{Address: a}, nil
}

func (h history) revert(to wire.LayerID) {
	for a, versions := range h {
		h[a] = slices.DeleteFunc(versions, func(v wire.Account) bool { return v.Layer > to })
		if len(h[a]) == 0 {
			delete(h, a)
		}
	}
}

func (h history) all() []wire.Account {
	out := []wire.Account{}
	for _, a := range slices.SortedFunc(maps.Keys(h), func(a, b wire.Address) int { return slices.Compare(a[:], b[:]) }) {
		account, _ := h.Account(a)
		out = append(out, account)
	}
	return out
}

func accountsOf(in []accountJSON) []wire.Account {
	out := []wire.Account{}
	for _, a := range in {
		out = append(out, a.account())
	}
	return out
}

func (s *applyStep) input() vm.Input {
	in := vm.Input{Layer: s.Layer}
	for _, tx := range s.Txs {
		in.Txs = append(in.Txs, vm.Tx{ID: wire.NewRawTx(tx.Raw).ID, Raw: tx.Raw, Verified: tx.Verified})
	}
	for _, r := range s.Rewards {
		in.Rewards = append(in.Rewards, rewards.Share{
			Smesher: r.Smesher.Array32(), Coinbase: wire.Address(r.Coinbase), Num: uint64(r.Num), Denom: uint64(r.Denom),
		})
	}
	return in
}

func (s *applyStep) check(t *testing.T, got vm.Effects) {
	results := []wire.TransactionResult{}
	ids := []wire.TransactionID{}
	for _, r := range s.Expect.Results {
		want := wire.TransactionResult{
			Status: r.Status, Message: r.Message, Gas: uint64(r.Gas), Fee: uint64(r.Fee), Layer: r.Layer,
		}
		for _, a := range r.Addresses {
			want.Addresses = append(want.Addresses, wire.Address(a))
		}
		results, ids = append(results, want), append(ids, r.ID.Array32())
	}
	gotResults := []wire.TransactionResult{}
	for _, e := range got.Executed {
		gotResults = append(gotResults, e.Result)
	}
	require.Equal(t, results, gotResults)
	require.Equal(t, ids, got.IDs())

	require.Len(t, got.Ineffective, len(s.Expect.Ineffective))
	for i, want := range s.Expect.Ineffective {
		require.Equal(t, wire.TransactionID(want.ID), got.Ineffective[i].ID)
		require.Equal(t, want.HasHeader, got.Ineffective[i].Header != nil, "%v", got.Ineffective[i].Reason)
		require.NotEmpty(t, got.Ineffective[i].Reason)
	}
	require.Len(t, got.Rewards, len(s.Expect.Rewards))
	for i, r := range s.Expect.Rewards {
		require.Equal(t, wire.Reward{
			Layer: s.Layer, TotalReward: uint64(r.TotalReward), LayerReward: uint64(r.LayerReward),
			Coinbase: wire.Address(r.Coinbase), SmesherID: r.Smesher.Array32(),
		}, got.Rewards[i])
	}
	require.Equal(t, accountsOf(s.Expect.UpdatedAccounts), got.Accounts)
	require.Equal(t, s.Expect.StateRoot.String(), got.StateRoot.String())
}

func TestApplyVectors(t *testing.T) {
	var file struct {
		GenesisID      vectors.Hex `json:"genesis_id"`
		LayersPerEpoch uint32      `json:"layers_per_epoch"`
		HRP            string      `json:"hrp"`
	}
	vectors.Load(t, "vm/apply", &file)
	genesis := wire.LayerID(2*file.LayersPerEpoch - 1)
	vectors.Run(t, "vm/apply", func(t *testing.T, c applyCase) {
		m := vm.New(vm.Params{
			BlockGasLimit:         uint64(c.GasLimit),
			FirstEffectiveGenesis: genesis,
			EffectiveGenesis:      genesis,
			HRP:                   file.HRP,
		}, signing.NewVerifier(file.GenesisID))
		state := history{}
		state.add(accountsOf(c.Genesis)...)
		for i := range c.Steps {
			c.Steps[i].run(t, m, state)
		}
	})
}

func (s *applyStep) run(t *testing.T, m *vm.Machine, state history) {
	switch s.Op {
	case "apply":
		got, err := m.Apply(s.input(), state)
		require.Equal(t, cmp.Or(s.Expect.Error, ""), map[bool]string{true: "internal"}[err != nil], "%v", err)
		if err != nil {
			return
		}
		s.check(t, got)
		// Checking signatures ahead changes nothing.
		ahead := s.input()
		require.NoError(t, m.Preverify(ahead.Txs, state))
		again, err := m.Apply(ahead, state)
		require.NoError(t, err)
		require.Equal(t, got, again)
		state.add(got.Accounts...)
	case "revert":
		state.revert(s.Layer)
		require.Equal(t, accountsOf(s.Expect.Accounts), state.all())
	case "accounts":
		require.Equal(t, accountsOf(s.Expect.Accounts), state.all())
	default:
		t.Fatalf("op %q", s.Op)
	}
}
