package vm

import (
	"errors"
	"fmt"
	"slices"

	"github.com/smeshery/smeshery/pkg/rewards"
	"github.com/smeshery/smeshery/pkg/wire"
)

// application is one run of Apply.
type application struct {
	machine  *Machine
	accounts *workset
	gasLeft  uint64
	tx       Transaction
	run      execution
	// addresses holds the addresses of all results.
	addresses []wire.Address
	effects   Effects
}

// Apply executes a layer (spec 07 §7). Whether the layer is due is for the
// caller to know. Errors are ErrLayer, ErrState or rewards.ErrWeight and mean
// that nothing changed.
func (m *Machine) Apply(in Input, accounts AccountReader) (Effects, error) {
	if in.Layer < m.params.EffectiveGenesis || in.Layer < m.params.FirstEffectiveGenesis {
		return Effects{}, fmt.Errorf("%w: %v", ErrLayer, in.Layer)
	}
	a := newApplication(m, in, accounts)
	for i := range in.Txs {
		if err := a.transaction(&in.Txs[i]); err != nil {
			return Effects{}, fmt.Errorf("apply layer %v: transaction %v: %w", in.Layer, in.Txs[i].ID, err)
		}
	}
	if err := a.rewards(in.Rewards); err != nil {
		return Effects{}, fmt.Errorf("apply layer %v: %w", in.Layer, err)
	}
	var err error
	if a.effects.Accounts, a.effects.StateRoot, err = a.accounts.versions(in.Layer); err != nil {
		return Effects{}, fmt.Errorf("apply layer %v: %w", in.Layer, err)
	}
	return a.effects, nil
}

func newApplication(m *Machine, in Input, accounts AccountReader) *application {
	a := &application{
		machine:   m,
		accounts:  newWorkset(accounts, 2*len(in.Txs)+len(in.Rewards)),
		gasLeft:   m.params.BlockGasLimit,
		addresses: make([]wire.Address, 0, 2*len(in.Txs)),
		effects:   Effects{Layer: in.Layer, Executed: make([]Executed, 0, len(in.Txs))},
	}
	a.run = execution{machine: m, accounts: a.accounts, layer: in.Layer, touched: make([]*staged, 0, maxStaged)}
	return a
}

// transaction judges one transaction and executes it, in the order of spec 07
// §7.1. Only an unusable state is an error.
func (a *application) transaction(tx *Tx) error {
	at, rule, err := a.judge(tx)
	if err != nil {
		return err
	}
	if rule == "" && a.accounts.accounts[at].NextNonce > a.tx.Header.Nonce {
		header := a.tx.Header
		a.effects.Ineffective = append(a.effects.Ineffective, Ineffective{ID: tx.ID, Header: &header, Reason: RuleNonce})
		return nil
	}
	if rule != "" {
		a.effects.Ineffective = append(a.effects.Ineffective, Ineffective{ID: tx.ID, Reason: rule})
		return nil
	}
	return a.execute(tx.ID, at)
}

// judge parses the transaction and says where its principal is, or which rule
// keeps it out of the layer without a header.
func (a *application) judge(tx *Tx) (at int, rule Rule, err error) {
	if err := a.tx.readHead(tx.Raw); err != nil {
		return ruling(err)
	}
	if at, err = a.accounts.at(a.tx.Header.Principal); err != nil {
		return 0, "", err
	}
	principal := &a.accounts.accounts[at]
	if err := a.tx.readBody(principal); err != nil {
		return ruling(err)
	}
	switch header := &a.tx.Header; {
	case header.GasPrice == 0:
		return 0, RuleGasPrice, nil
	case principal.Balance < a.tx.Intrinsic: // gas units against coins: the price plays no part
		return 0, RuleIntrinsicGas, nil
	case a.gasLeft < header.MaxGas:
		return 0, RuleBlockGas, nil
	case !tx.Verified && !a.machine.Verify(&a.tx):
		return 0, RuleSignature, nil
	}
	return at, "", nil
}

// ruling makes judge's answer of an error of parsing: a broken rule is the
// transaction's fate, all else is our failure.
func ruling(err error) (at int, rule Rule, failed error) {
	if e, ok := errors.AsType[*RuleError](err); ok && !IsInternal(err) {
		return 0, e.Rule, nil
	}
	return 0, "", err
}

// execute charges the fee first, then runs the method on what is left.
func (a *application) execute(id wire.TransactionID, at int) error {
	header := &a.tx.Header
	run := &a.run
	run.begin(&a.tx, at)
	fee, why := header.Fee(), done
	if balance := run.principal.account.Balance; fee > balance {
		fee, why = balance, failOutOfGas
	}
	run.principal.account.Balance -= fee
	if why == done {
		var err error
		if why, err = run.run(); err != nil {
			return err
		}
	}
	if why != done {
		run.begin(&a.tx, at) // forget what the method did
		run.principal.account.Balance -= fee
	}
	run.principal.account.NextNonce = header.Nonce + 1
	start := len(a.addresses)
	a.addresses = run.commit(a.addresses)
	a.effects.Fees += fee
	a.gasLeft -= header.MaxGas
	a.effects.Executed = append(a.effects.Executed, Executed{
		ID:     id,
		Header: *header,
		Result: a.result(fee, why, slices.Clip(a.addresses[start:])),
	})
	return nil
}

func (a *application) result(fee uint64, why failure, addresses []wire.Address) wire.TransactionResult {
	r := wire.TransactionResult{
		Status:    wire.TxSuccess,
		Message:   string(why),
		Gas:       a.tx.Header.MaxGas,
		Fee:       fee,
		Layer:     a.effects.Layer,
		Addresses: addresses,
	}
	if why != done {
		r.Status = wire.TxFailure
	}
	return r
}

// rewards pays subsidy and fees to the coinbases (spec 07 §7.2).
func (a *application) rewards(shares []rewards.Share) error {
	layer := a.effects.Layer
	a.effects.Subsidy = a.machine.schedule.Subsidy(uint32(layer - a.machine.params.FirstEffectiveGenesis))
	amounts, err := rewards.Distribute(a.effects.Subsidy, a.effects.Fees, shares)
	if err != nil {
		return err
	}
	a.effects.Rewards = make([]wire.Reward, len(shares))
	for i := range shares {
		at, err := a.accounts.at(shares[i].Coinbase)
		if err != nil {
			return err
		}
		coinbase := a.accounts.accounts[at]
		coinbase.Balance += amounts[i].Total
		a.accounts.update(at, &coinbase)
		a.effects.Rewards[i] = wire.Reward{
			Layer:       layer,
			TotalReward: amounts[i].Total,
			LayerReward: amounts[i].Layer,
			Coinbase:    shares[i].Coinbase,
			SmesherID:   shares[i].Smesher,
		}
	}
	return nil
}
