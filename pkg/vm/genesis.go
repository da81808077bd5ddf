package vm

import (
	"fmt"

	"github.com/smeshery/smeshery/pkg/address"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/wire"
)

// ParamsOf are the numbers that execution takes from a network. A node that
// recovered from a checkpoint moves EffectiveGenesis afterwards.
func ParamsOf(p *network.Params) Params {
	genesis := p.FirstEffectiveGenesis()
	return Params{
		BlockGasLimit:         p.BlockGasLimit,
		FirstEffectiveGenesis: genesis,
		EffectiveGenesis:      genesis,
		HRP:                   p.HRP,
	}
}

// GenesisAccounts are the account versions a network starts with, in the order
// of the configuration. They have no template, belong to layer 0 and make no
// state root (spec 07 §10.2). An address of another network is an error.
func GenesisAccounts(p *network.Params) ([]wire.Account, error) {
	out := make([]wire.Account, len(p.Genesis.Accounts))
	for i, configured := range p.Genesis.Accounts {
		a, err := address.Parse(p.HRP, configured.Address)
		if err != nil {
			return nil, fmt.Errorf("genesis account %q: %w", configured.Address, err)
		}
		out[i] = wire.Account{Address: a, Balance: configured.Balance}
	}
	return out, nil
}

// MainnetVault is the vault that holds total coins for the vesting account of
// the given keys, on mainnet's schedule (spec 07 §10.3).
func MainnetVault(keys MultisigArgs, total uint64) VaultArgs {
	return VaultArgs{
		Owner:   Principal(Vesting, &keys),
		Total:   total,
		Initial: total / 4,
		Start:   VestingStart,
		End:     VestingEnd,
	}
}
