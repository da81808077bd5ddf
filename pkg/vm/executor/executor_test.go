package executor_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/vm/executor"
	"github.com/smeshery/smeshery/pkg/wire"
)

// layersPerEpoch is the vectors' network.
const layersPerEpoch = 4

type accountJSON struct {
	Address   vectors.Hex    `json:"address"`
	Balance   vectors.Uint64 `json:"balance"`
	Layer     wire.LayerID   `json:"layer"`
	NextNonce vectors.Uint64 `json:"next_nonce"`
	Spawned   bool           `json:"spawned"`
}

type executorCase struct {
	Genesis []accountJSON `json:"genesis"`
	ATXs    []struct {
		TargetEpoch wire.EpochID `json:"target_epoch"`
		ID          vectors.Hex  `json:"id"`
		Smesher     vectors.Hex  `json:"smesher"`
		Coinbase    vectors.Hex  `json:"coinbase"`
	} `json:"atxs"`
	Steps []executorStep `json:"steps"`
}

type executorStep struct {
	Op         string         `json:"op"`
	Layer      wire.LayerID   `json:"layer"`
	Empty      bool           `json:"empty"`
	TickHeight vectors.Uint64 `json:"tick_height"`
	Rewards    []struct {
		ATX   vectors.Hex    `json:"atx"`
		Num   vectors.Uint64 `json:"num"`
		Denom vectors.Uint64 `json:"denom"`
	} `json:"rewards"`
	Txs    []vectors.Hex `json:"txs"`
	Expect struct {
		Error     string        `json:"error"`
		Accounts  []accountJSON `json:"accounts"`
		StateRoot vectors.Hex   `json:"state_root"`
		BlockID   vectors.Hex   `json:"block_id"`
		Encoded   vectors.Hex   `json:"block_encoded"`
		Executed  []vectors.Hex `json:"executed"`
	} `json:"expect"`
}

type atxKey struct {
	epoch wire.EpochID
	id    wire.ATXID
}

// database is what an executor's shell keeps.
type database struct {
	accounts map[wire.Address][]wire.Account
	txs      map[wire.TransactionID]executor.StoredTx
	applied  map[wire.TransactionID]wire.LayerID
	atxs     map[atxKey]executor.Beneficiary
	roots    map[wire.LayerID]wire.Hash32
	last     wire.LayerID
}

func newDatabase(c *executorCase) *database {
	d := &database{
		accounts: map[wire.Address][]wire.Account{},
		txs:      map[wire.TransactionID]executor.StoredTx{},
		applied:  map[wire.TransactionID]wire.LayerID{},
		atxs:     map[atxKey]executor.Beneficiary{},
		roots:    map[wire.LayerID]wire.Hash32{},
		last:     7,
	}
	for _, a := range c.Genesis {
		address := wire.Address(a.Address)
		d.accounts[address] = []wire.Account{{Address: address, Balance: uint64(a.Balance)}}
	}
	for _, a := range c.ATXs {
		d.atxs[atxKey{a.TargetEpoch, a.ID.Array32()}] = executor.Beneficiary{
			Known: true, Smesher: a.Smesher.Array32(), Coinbase: wire.Address(a.Coinbase),
		}
	}
	return d
}

func (d *database) Account(a wire.Address) (wire.Account, error) {
	if versions := d.accounts[a]; len(versions) > 0 {
		return versions[len(versions)-1], nil
	}
	return wire.Account{Address: a}, nil
}

func (d *database) Transactions(ids []wire.TransactionID) (out []executor.StoredTx, err error) {
	for _, id := range ids {
		tx := d.txs[id]
		_, tx.Applied = d.applied[id]
		out = append(out, tx)
	}
	return out, nil
}

func (d *database) Beneficiaries(epoch wire.EpochID, ids []wire.ATXID) (out []executor.Beneficiary, err error) {
	for _, id := range ids {
		out = append(out, d.atxs[atxKey{epoch, id}])
	}
	return out, nil
}

// store keeps raw transactions without a header and returns their ids.
func (d *database) store(raws []vectors.Hex) (ids []wire.TransactionID) {
	for _, raw := range raws {
		id := wire.NewRawTx(raw).ID
		d.txs[id] = executor.StoredTx{Raw: raw}
		ids = append(ids, id)
	}
	return ids
}

func (d *database) write(e vm.Effects) {
	for _, a := range e.Accounts {
		d.accounts[a.Address] = append(d.accounts[a.Address], a)
	}
	for _, tx := range e.Executed {
		d.applied[tx.ID] = e.Layer
	}
	d.roots[e.Layer], d.last = e.StateRoot, e.Layer
}

func (d *database) revert(to wire.LayerID) {
	for a, versions := range d.accounts {
		if d.accounts[a] = slices.DeleteFunc(versions, func(v wire.Account) bool { return v.Layer > to }); len(d.accounts[a]) == 0 {
			delete(d.accounts, a)
		}
	}
	maps.DeleteFunc(d.applied, func(_ wire.TransactionID, layer wire.LayerID) bool { return layer > to })
	maps.DeleteFunc(d.roots, func(layer wire.LayerID, _ wire.Hash32) bool { return layer > to })
	d.last = to
}

// root is the one of the highest layer that has one.
func (d *database) root() wire.Hash32 {
	if len(d.roots) == 0 {
		return wire.Hash32{}
	}
	return d.roots[slices.Max(slices.Collect(maps.Keys(d.roots)))]
}

func (d *database) dump() (out []accountJSON) {
	for a := range d.accounts {
		account, _ := d.Account(a)
		out = append(out, accountJSON{
			Address: account.Address[:], Balance: vectors.Uint64(account.Balance), Layer: account.Layer,
			NextNonce: vectors.Uint64(account.NextNonce), Spawned: account.TemplateAddress != nil,
		})
	}
	slices.SortFunc(out, func(a, b accountJSON) int { return bytes.Compare(a.Address, b.Address) })
	return out
}

func (s *executorStep) inner(d *database) wire.InnerBlock {
	out := wire.InnerBlock{LayerIndex: s.Layer, TickHeight: uint64(s.TickHeight), TxIDs: d.store(s.Txs)}
	for _, r := range s.Rewards {
		out.Rewards = append(out.Rewards, wire.AnyReward{
			AtxID: r.ATX.Array32(), Weight: wire.RatNum{Num: uint64(r.Num), Denom: uint64(r.Denom)},
		})
	}
	return out
}

func (s *executorStep) run(t *testing.T, x *executor.Executor, d *database) error {
	switch s.Op {
	case "execute_optimistic":
		block, effects, err := x.ExecuteOptimistic(d.last, s.inner(d), d)
		if err != nil {
			return err
		}
		require.Equal(t, wire.BlockID(s.Expect.BlockID), block.ID())
		require.Equal(t, s.Expect.Encoded.String(), hex.EncodeToString(codec.MustEncode(&block)))
		executed := []wire.TransactionID{}
		for _, id := range s.Expect.Executed {
			executed = append(executed, id.Array32())
		}
		require.Equal(t, executed, effects.IDs())
		for _, e := range effects.Executed {
			require.Equal(t, block.ID(), e.Result.Block)
		}
		d.write(effects)
	case "execute":
		var block *wire.Block
		if !s.Empty {
			block = &wire.Block{InnerBlock: s.inner(d)}
			block.TickHeight = 5
		}
		effects, err := x.Execute(d.last, s.Layer, block, d)
		if err != nil {
			return err
		}
		d.write(effects)
	case "revert":
		d.revert(s.Layer)
	default:
		t.Fatalf("op %q", s.Op)
	}
	return nil
}

func newExecutor(genesisID []byte) *executor.Executor {
	return executor.New(vm.New(vm.Params{
		BlockGasLimit: 100_107_000, FirstEffectiveGenesis: 7, EffectiveGenesis: 7, HRP: "sm",
	}, signing.NewVerifier(genesisID)), layersPerEpoch)
}

func TestExecutorVectors(t *testing.T) {
	var file struct {
		GenesisID vectors.Hex `json:"genesis_id"`
	}
	vectors.Load(t, "txs/executor", &file)
	classes := map[string]error{"": nil, "layer_applied": executor.ErrApplied, "layer_not_in_order": executor.ErrOrder}
	x := newExecutor(file.GenesisID)
	vectors.Run(t, "txs/executor", func(t *testing.T, c executorCase) {
		d := newDatabase(&c)
		for i := range c.Steps {
			s := &c.Steps[i]
			require.Contains(t, classes, s.Expect.Error)
			require.ErrorIs(t, s.run(t, x, d), classes[s.Expect.Error], "step %d", i)
			if s.Expect.Error != "" {
				continue
			}
			require.Equal(t, s.Expect.Accounts, d.dump(), "step %d", i)
			require.Equal(t, s.Expect.StateRoot.String(), d.root().String(), "step %d", i)
		}
	})
}

func TestMissingDataIsNamed(t *testing.T) {
	d := newDatabase(&executorCase{})
	tx, atx := wire.TransactionID{1}, wire.ATXID{2}
	block := &wire.Block{InnerBlock: wire.InnerBlock{
		LayerIndex: 8, TxIDs: []wire.TransactionID{tx},
		Rewards: []wire.AnyReward{{AtxID: atx, Weight: wire.RatNum{Num: 1, Denom: 1}}},
	}}
	_, err := newExecutor(nil).Execute(7, 8, block, d)
	var missing *executor.Missing
	require.True(t, errors.As(err, &missing))
	require.Equal(t, []wire.TransactionID{tx}, missing.Txs)
	require.Equal(t, []wire.ATXID{atx}, missing.ATXs)
}

// What has a result is not executed again, even where its nonce would pass once
// more because nonces wrap.
func TestAppliedTransactionsAreLeftOut(t *testing.T) {
	d := newDatabase(&executorCase{})
	id := d.store([]vectors.Hex{{1, 2, 3}})
	in, err := newExecutor(nil).Prepare(8, nil, id, d)
	require.NoError(t, err)
	require.Len(t, in.Txs, 1)
	d.applied[id[0]] = 8
	in, err = newExecutor(nil).Prepare(9, nil, id, d)
	require.NoError(t, err)
	require.Empty(t, in.Txs)
}
