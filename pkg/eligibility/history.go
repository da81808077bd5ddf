package eligibility

import "github.com/smeshery/smeshery/pkg/wire"

// Declaration is what a ballot's epoch data say about the active set.
type Declaration struct {
	ActiveSet wire.Hash32
	Beacon    wire.Beacon
}

// History is what the oracle wants to know of the past. Every method answers
// ErrNotFound for what is not there; any other error ends the lookup.
type History interface {
	// Fallback is the active set that came through bootstrap.
	Fallback(wire.EpochID) ([]wire.ATXID, error)
	// FirstRewarded are the ATXs rewarded by the epoch's lowest layer with an
	// applied, non-empty block.
	FirstRewarded(wire.EpochID) ([]wire.ATXID, error)
	// Reference is the declaration of the ATX's earliest ballot in the epoch
	// that carries epoch data.
	Reference(wire.EpochID, wire.ATXID) (Declaration, error)
	// FirstBallots are the declarations of every identity's lowest-layer ballot
	// in the epoch, where that ballot has one.
	FirstBallots(wire.EpochID) ([]Declaration, error)
	// ActiveSet is a stored active set.
	ActiveSet(wire.Hash32) ([]wire.ATXID, error)
	// Beacon is the epoch's beacon as it is known locally.
	Beacon(wire.EpochID) (wire.Beacon, error)
	// ATX is an ATX of the in-memory index for the target epoch.
	ATX(wire.EpochID, wire.ATXID) (IndexedATX, error)
}

// IndexedATX is an entry of the ATX index.
type IndexedATX struct {
	Node   wire.NodeID
	Weight uint64
}
