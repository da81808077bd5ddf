package vm_test

import (
	"encoding/hex"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/address"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"
)

type genesisCase struct {
	Kind           string         `json:"kind"`
	ExtraData      string         `json:"extra_data"`
	Unix           int64          `json:"unix"`
	GenesisID      vectors.Hex    `json:"genesis_id"`
	GoldenATX      vectors.Hex    `json:"golden_atx"`
	Valid          bool           `json:"valid"`
	Address        vectors.Hex    `json:"address"`
	Bech32         string         `json:"bech32"`
	Balance        vectors.Uint64 `json:"balance"`
	Count          int            `json:"count"`
	Total          vectors.Uint64 `json:"total"`
	Required       uint8          `json:"required"`
	PublicKeys     []vectors.Hex  `json:"public_keys"`
	Initial        vectors.Uint64 `json:"initial"`
	Start          wire.LayerID   `json:"start"`
	End            wire.LayerID   `json:"end"`
	VestingAddress vectors.Hex    `json:"vesting_address"`
	VestingArgs    vectors.Hex    `json:"vesting_args"`
	VaultAddress   vectors.Hex    `json:"vault_address"`
	VaultArgs      vectors.Hex    `json:"vault_args"`
	VaultText      string         `json:"vault_bech32_sm"`
}

func mainnetLedger(t *testing.T) map[wire.Address]uint64 {
	mainnet := network.Mainnet()
	accounts, err := vm.GenesisAccounts(&mainnet)
	require.NoError(t, err)
	out := map[wire.Address]uint64{}
	for _, a := range accounts {
		require.Equal(t, wire.Account{Address: a.Address, Balance: a.Balance}, a)
		out[a.Address] = a.Balance
	}
	return out
}

func TestGenesisVectors(t *testing.T) {
	mainnet := mainnetLedger(t)
	vectors.Run(t, "vm/genesis", func(t *testing.T, c genesisCase) {
		switch c.Kind {
		case "genesis_id":
			genesis := network.Genesis{Time: time.Unix(c.Unix, 999_999_999), ExtraData: c.ExtraData}
			require.Equal(t, wire.Hash20(c.GenesisID), genesis.ID())
			require.Equal(t, wire.ATXID(c.GoldenATX), genesis.GoldenATX())
			require.Equal(t, c.Valid, genesis.Validate() == nil)
		case "mainnet_account":
			balance, ok := mainnet[wire.Address(c.Address)]
			require.True(t, ok)
			require.Equal(t, uint64(c.Balance), balance)
			require.Equal(t, c.Bech32, address.Text("sm", wire.Address(c.Address)))
		case "mainnet_total":
			var sum uint64
			for _, balance := range mainnet {
				sum += balance
			}
			require.Len(t, mainnet, c.Count)
			require.Equal(t, uint64(c.Total), sum)
		case "vesting_vault":
			checkVault(t, c)
		default:
			t.Fatalf("kind %q", c.Kind)
		}
	})
}

func checkVault(t *testing.T, c genesisCase) {
	keys := vm.MultisigArgs{Required: c.Required, Keys: nodeIDs(c.PublicKeys)}
	vault := vm.MainnetVault(keys, uint64(c.Total))
	require.Equal(t, vm.VaultArgs{
		Owner: wire.Address(c.VestingAddress), Total: uint64(c.Balance), Initial: uint64(c.Initial), Start: c.Start, End: c.End,
	}, vault)
	require.Equal(t, c.VestingArgs.String(), hex.EncodeToString(codec.MustEncode(&keys)))
	require.Equal(t, c.VaultArgs.String(), hex.EncodeToString(codec.MustEncode(&vault)))
	require.Equal(t, wire.Address(c.VaultAddress), vm.Principal(vm.Vault, &vault))
	require.Equal(t, c.VaultText, address.Text("sm", vm.Principal(vm.Vault, &vault)))
}

func TestGenesisAccountOfAnotherNetwork(t *testing.T) {
	p := network.Mainnet()
	p.HRP = "stest"
	_, err := vm.GenesisAccounts(&p)
	require.ErrorIs(t, err, address.ErrNetwork)
}
