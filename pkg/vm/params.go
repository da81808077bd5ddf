package vm

import (
	"github.com/smeshery/smeshery/pkg/rewards"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Params are the numbers of a network that execution depends on (spec 07 §12).
type Params struct {
	// BlockGasLimit is the gas that one layer may consume.
	BlockGasLimit uint64
	// FirstEffectiveGenesis is where the subsidy starts to count; a checkpoint
	// does not move it.
	FirstEffectiveGenesis wire.LayerID
	// EffectiveGenesis is the first layer that may be applied; a checkpoint
	// moves it.
	EffectiveGenesis wire.LayerID
	// HRP is the human readable part of addresses in failure messages.
	HRP string
}

// Machine parses and applies transactions of one network. It is immutable and
// safe for concurrent use.
type Machine struct {
	params   Params
	verifier signing.Verifier
	schedule *rewards.Schedule
}

// New returns the machine of a network. The verifier's prefix is the network's
// genesis id.
func New(params Params, verifier signing.Verifier) *Machine {
	return &Machine{params: params, verifier: verifier, schedule: rewards.NewSchedule()}
}

// Params are the numbers that the machine was made with.
func (m *Machine) Params() Params { return m.params }

// AccountReader gives the latest version of accounts. An address that was never
// written reads as an account with only its address set (spec 07 §3.1). The
// caller does not change what Template and State of the result point to.
type AccountReader interface {
	Account(wire.Address) (wire.Account, error)
}
