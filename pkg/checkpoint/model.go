package checkpoint

import "github.com/smeshery/smeshery/pkg/wire"

// Version is the only format there is.
const Version = "https://spacemesh.io/checkpoint.schema.json.1.0"

// Snapshot is a checkpoint as it is restored.
type Snapshot struct {
	// Accounts have the layer before the restore layer.
	Accounts  []wire.Account
	ATXs      []ATX
	Marriages []Marriage
}

// ATX is what a checkpoint keeps of an activation. It has no blob: nodes that
// restored it take it as given and cannot serve it.
type ATX struct {
	ID           wire.ATXID
	PublishEpoch wire.EpochID
	// Commitment is zero where a database row has none of its own.
	Commitment wire.ATXID
	// Marriage is zero if the ATX refers to none.
	Marriage       wire.ATXID
	VRFNonce       uint64
	BaseTickHeight uint64
	TickCount      uint64
	Smesher        wire.NodeID
	Sequence       uint64
	Coinbase       wire.Address
	// NumUnits are the effective units of all identities.
	NumUnits uint32
	// Units are each identity's.
	Units map[wire.NodeID]uint32
}

// Weight is what the ATX counts for. It is computed and never read from a file
// or from the column that the network's software leaves empty (spec 07 §11.6).
func (a *ATX) Weight() uint64 { return uint64(a.NumUnits) * a.TickCount }

// Marriage is one certificate of a marriage.
type Marriage struct {
	ID        int64
	ATX       wire.ATXID
	Index     int
	Smesher   wire.NodeID
	MarriedTo wire.NodeID
	Signature wire.EdSignature
}

// EffectiveGenesis is the layer that a restore takes as applied (spec 07 §11.6).
func EffectiveGenesis(restore wire.LayerID) wire.LayerID { return restore - 1 }

// Recovery tells whether a node that is configured to restore at layer restore
// has to do so, and its effective genesis afterwards. Stored is the restore layer
// of its database, 0 if it was never restored (spec 07 §11.5).
func Recovery(stored, restore wire.LayerID) (needed bool, genesis wire.LayerID) {
	if stored >= restore {
		return false, EffectiveGenesis(stored)
	}
	return true, EffectiveGenesis(restore)
}
