package executor

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/smeshery/smeshery/pkg/rewards"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Errors of spec 07 §9.1.
var (
	// ErrApplied says that the layer has been applied.
	ErrApplied = errors.New("layer applied")
	// ErrOrder says that a layer before it has not been applied.
	ErrOrder = errors.New("layer not in order")
)

// Missing says which objects a block needs that are not stored.
type Missing struct {
	Txs  []wire.TransactionID
	ATXs []wire.ATXID
}

func (m *Missing) Error() string {
	return fmt.Sprintf("missing %d transactions and %d atxs", len(m.Txs), len(m.ATXs))
}

// StoredTx is a transaction as the database has it.
type StoredTx struct {
	// Raw is nil if the transaction is not stored.
	Raw []byte
	// Verified says that a header is stored with it.
	Verified bool
	// Applied says that an earlier layer executed it.
	Applied bool
}

// Beneficiary is who an ATX's reward goes to.
type Beneficiary struct {
	// Known is false if the ATX is not in the set of the epoch.
	Known    bool
	Smesher  wire.NodeID
	Coinbase wire.Address
}

// Reader gives what a block refers to, one value for each id.
type Reader interface {
	vm.AccountReader
	Transactions(ids []wire.TransactionID) ([]StoredTx, error)
	// Beneficiaries looks ATXs up among those that target the epoch.
	Beneficiaries(epoch wire.EpochID, ids []wire.ATXID) ([]Beneficiary, error)
}

// Executor executes layers of one network.
type Executor struct {
	machine        *vm.Machine
	layersPerEpoch uint32
}

// New returns an executor. layersPerEpoch is not 0.
func New(machine *vm.Machine, layersPerEpoch uint32) *Executor {
	return &Executor{machine: machine, layersPerEpoch: layersPerEpoch}
}

// Order checks that layer is the one to execute after last, the highest layer
// with an applied marker.
func Order(last, layer wire.LayerID) error {
	switch {
	case layer <= last:
		return fmt.Errorf("%w: %v, last is %v", ErrApplied, layer, last)
	case layer != last+1:
		return fmt.Errorf("%w: %v, last is %v", ErrOrder, layer, last)
	}
	return nil
}

// Prepare collects the input of a layer. Between Prepare and Machine.Apply the
// caller may check signatures on several cores with Machine.Preverify.
func (x *Executor) Prepare(layer wire.LayerID, shares []wire.AnyReward, txs []wire.TransactionID, reader Reader) (vm.Input, error) {
	in := vm.Input{Layer: layer}
	var missing Missing
	if err := prepareTxs(&in, &missing, txs, reader); err != nil {
		return vm.Input{}, err
	}
	if err := x.prepareRewards(&in, &missing, shares, reader); err != nil {
		return vm.Input{}, err
	}
	if len(missing.Txs)+len(missing.ATXs) > 0 {
		return vm.Input{}, &missing
	}
	return in, nil
}

func prepareTxs(in *vm.Input, missing *Missing, ids []wire.TransactionID, reader Reader) error {
	if len(ids) == 0 {
		return nil
	}
	stored, err := reader.Transactions(ids)
	if err != nil {
		return fmt.Errorf("read transactions of layer %v: %w", in.Layer, err)
	}
	in.Txs = make([]vm.Tx, 0, len(ids))
	for i, id := range ids {
		switch tx := &stored[i]; {
		case tx.Raw == nil:
			missing.Txs = append(missing.Txs, id)
		case !tx.Applied:
			in.Txs = append(in.Txs, vm.Tx{ID: id, Raw: tx.Raw, Verified: tx.Verified})
		}
	}
	return nil
}

func (x *Executor) prepareRewards(in *vm.Input, missing *Missing, shares []wire.AnyReward, reader Reader) error {
	if len(shares) == 0 {
		return nil
	}
	ids := make([]wire.ATXID, len(shares))
	for i := range shares {
		ids[i] = shares[i].AtxID
	}
	beneficiaries, err := reader.Beneficiaries(in.Layer.Epoch(x.layersPerEpoch), ids)
	if err != nil {
		return fmt.Errorf("read atxs of layer %v: %w", in.Layer, err)
	}
	in.Rewards = make([]rewards.Share, 0, len(shares))
	for i, b := range beneficiaries {
		if !b.Known {
			missing.ATXs = append(missing.ATXs, ids[i])
			continue
		}
		weight := shares[i].Weight
		in.Rewards = append(in.Rewards, rewards.Share{
			Smesher: b.Smesher, Coinbase: b.Coinbase, Num: weight.Num, Denom: weight.Denom,
		})
	}
	slices.SortStableFunc(in.Rewards, func(a, b rewards.Share) int { return bytes.Compare(a.Coinbase[:], b.Coinbase[:]) })
	return nil
}

// Execute applies a block, or an empty layer if block is nil (spec 07 §9.2).
func (x *Executor) Execute(last, layer wire.LayerID, block *wire.Block, reader Reader) (vm.Effects, error) {
	if err := Order(last, layer); err != nil {
		return vm.Effects{}, err
	}
	if block == nil {
		return x.machine.Apply(vm.Input{Layer: layer}, reader)
	}
	in, err := x.Prepare(layer, block.Rewards, block.TxIDs, reader)
	if err != nil {
		return vm.Effects{}, err
	}
	effects, err := x.machine.Apply(in, reader)
	if err != nil {
		return vm.Effects{}, err
	}
	effects.SetBlock(block.ID())
	return effects, nil
}

// ExecuteOptimistic applies transactions and builds the block that holds the
// ones that were executed, failed ones among them (spec 07 §9.3).
func (x *Executor) ExecuteOptimistic(last wire.LayerID, proposed wire.InnerBlock, reader Reader) (wire.Block, vm.Effects, error) {
	if err := Order(last, proposed.LayerIndex); err != nil {
		return wire.Block{}, vm.Effects{}, err
	}
	in, err := x.Prepare(proposed.LayerIndex, proposed.Rewards, proposed.TxIDs, reader)
	if err != nil {
		return wire.Block{}, vm.Effects{}, err
	}
	effects, err := x.machine.Apply(in, reader)
	if err != nil {
		return wire.Block{}, vm.Effects{}, err
	}
	return BlockOf(proposed, &effects), effects, nil
}

// BlockOf is the block of an execution: as proposed, but with the executed
// transactions only. It writes the block's id into the results.
func BlockOf(proposed wire.InnerBlock, effects *vm.Effects) wire.Block {
	proposed.TxIDs = effects.IDs()
	block := wire.Block{InnerBlock: proposed}
	effects.SetBlock(block.ID())
	return block
}
