package eligibility

import (
	"slices"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Records is a History held in memory, for small networks and for tests.
type Records struct {
	LayersPerEpoch uint32
	Fallbacks      map[wire.EpochID][]wire.ATXID
	Blocks         []AppliedBlock
	Ballots        []BallotRecord
	ActiveSets     map[wire.Hash32][]wire.ATXID
	Beacons        map[wire.EpochID]wire.Beacon
	ATXs           map[wire.ATXID]IndexedATX
}

// AppliedBlock is a layer's applied block with the ATXs it rewards.
type AppliedBlock struct {
	Layer    wire.LayerID
	Empty    bool
	Rewarded []wire.ATXID
}

// BallotRecord is a ballot, with its declaration if it has epoch data.
type BallotRecord struct {
	Layer    wire.LayerID
	Node     wire.NodeID
	ATX      wire.ATXID
	Declares *Declaration
}

var _ History = (*Records)(nil)

func found[K comparable, V any](m map[K]V, key K) (V, error) {
	v, ok := m[key]
	if !ok {
		return v, ErrNotFound
	}
	return v, nil
}

// Fallback is History.
func (r *Records) Fallback(e wire.EpochID) ([]wire.ATXID, error) { return found(r.Fallbacks, e) }

// ActiveSet is History.
func (r *Records) ActiveSet(h wire.Hash32) ([]wire.ATXID, error) { return found(r.ActiveSets, h) }

// Beacon is History.
func (r *Records) Beacon(e wire.EpochID) (wire.Beacon, error) { return found(r.Beacons, e) }

// ATX is History; the records hold one epoch's index.
func (r *Records) ATX(_ wire.EpochID, id wire.ATXID) (IndexedATX, error) { return found(r.ATXs, id) }

// FirstRewarded is History.
func (r *Records) FirstRewarded(e wire.EpochID) ([]wire.ATXID, error) {
	first := -1
	for i, b := range r.Blocks {
		if b.Empty || b.Layer.Epoch(r.LayersPerEpoch) != e {
			continue
		}
		if first < 0 || b.Layer < r.Blocks[first].Layer {
			first = i
		}
	}
	if first < 0 {
		return nil, ErrNotFound
	}
	return r.Blocks[first].Rewarded, nil
}

// Reference is History.
func (r *Records) Reference(e wire.EpochID, atx wire.ATXID) (Declaration, error) {
	for _, b := range r.epochBallots(e) {
		if b.ATX == atx && b.Declares != nil {
			return *b.Declares, nil
		}
	}
	return Declaration{}, ErrNotFound
}

// FirstBallots is History.
func (r *Records) FirstBallots(e wire.EpochID) ([]Declaration, error) {
	seen := make(map[wire.NodeID]bool)
	var out []Declaration
	for _, b := range r.epochBallots(e) {
		if !seen[b.Node] && b.Declares != nil {
			out = append(out, *b.Declares)
		}
		seen[b.Node] = true
	}
	return out, nil
}

// epochBallots are the epoch's ballots by layer.
func (r *Records) epochBallots(e wire.EpochID) []BallotRecord {
	var out []BallotRecord
	for _, b := range r.Ballots {
		if b.Layer.Epoch(r.LayersPerEpoch) == e {
			out = append(out, b)
		}
	}
	slices.SortStableFunc(out, func(a, b BallotRecord) int { return int(int64(a.Layer) - int64(b.Layer)) })
	return out
}
