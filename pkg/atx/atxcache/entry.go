package atxcache

import (
	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Entry is an ATX in its target epoch. What adding up weights reads stands in
// the first 64 bytes: one cache line.
type Entry struct {
	ID         wire.ATXID
	Weight     uint64
	BaseHeight uint64
	Height     uint64
	Nonce      uint64
	NodeID     wire.NodeID
	Coinbase   wire.Address
	// Malicious says that the identity is.
	Malicious bool
}

// EntryOf is the entry for a stored ATX. Rows from a checkpoint carry no
// weight; it follows from units and ticks (spec 04 §18).
func EntryOf(row *atx.Row) Entry {
	weight := row.Weight
	if weight == 0 {
		weight = uint64(row.EffectiveUnits) * row.Ticks
	}
	return Entry{
		ID: row.ID, NodeID: row.NodeID, Coinbase: row.Coinbase, Weight: weight,
		BaseHeight: row.BaseHeight, Height: row.Height(), Nonce: row.VRFNonce,
	}
}
