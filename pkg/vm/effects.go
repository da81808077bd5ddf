package vm

import (
	"github.com/smeshery/smeshery/pkg/rewards"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Tx is a transaction of a layer.
type Tx struct {
	ID  wire.TransactionID
	Raw []byte
	// Verified says that its signatures were found valid before: by Verify when
	// it was received, or by the caller just now.
	Verified bool
}

// Input is everything a layer applies.
type Input struct {
	Layer wire.LayerID
	// Txs in block order.
	Txs []Tx
	// Rewards in ascending order of coinbase.
	Rewards []rewards.Share
}

// Executed is a transaction that paid, whether or not its method succeeded.
type Executed struct {
	ID     wire.TransactionID
	Header wire.TxHeader
	// Result names no block until SetBlock.
	Result wire.TransactionResult
}

// Ineffective is a transaction that left no trace.
type Ineffective struct {
	ID wire.TransactionID
	// Header is set if the only thing wrong was the nonce.
	Header *wire.TxHeader
	Reason Rule
}

// Effects is what a layer does to the state. All of it is to be written in one
// database transaction: account versions and rewards as new rows, results into
// their transactions' rows, and the state root into the layer's.
type Effects struct {
	Layer wire.LayerID
	// Accounts are the new versions, in the order that the root hashes them.
	Accounts []wire.Account
	// Executed in execution order.
	Executed []Executed
	// Ineffective in block order.
	Ineffective []Ineffective
	Rewards     []wire.Reward
	StateRoot   wire.Hash32
	// Subsidy and Fees are what the layer created and collected; what Rewards
	// leaves of them is burnt.
	Subsidy, Fees uint64
}

// SetBlock writes the block's id into all results.
func (e *Effects) SetBlock(id wire.BlockID) {
	for i := range e.Executed {
		e.Executed[i].Result.Block = id
	}
}

// IDs are the executed transactions in order: those of a block that is built
// from this layer (spec 07 §9.3).
func (e *Effects) IDs() []wire.TransactionID {
	ids := make([]wire.TransactionID, len(e.Executed))
	for i := range e.Executed {
		ids[i] = e.Executed[i].ID
	}
	return ids
}
