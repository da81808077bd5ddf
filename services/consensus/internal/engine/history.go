package engine

import (
	"context"
	"time"

	"github.com/smeshery/smeshery/pkg/eligibility"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/db"
)

// lookupTimeout bounds a look into the past on behalf of the oracle.
const lookupTimeout = 10 * time.Second

// history answers the oracle from the database and the index
// (eligibility.History). The oracle's lock is held, the engine's is not.
type history struct{ engine *Engine }

func (h history) context() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), lookupTimeout)
}

// layers is the range of an epoch's layers.
func (h history) layers(epoch wire.EpochID) (from, to wire.LayerID) {
	return h.engine.params.FirstLayer(epoch), h.engine.params.FirstLayer(epoch+1) - 1
}

// Fallback is eligibility.History. Where this node is the network, its own active
// set stands in for one from bootstrap: at the start of the first epoch there is
// neither a block nor a ballot that could name one.
func (h history) Fallback(epoch wire.EpochID) ([]wire.ATXID, error) {
	if !h.engine.deps.Alone {
		return nil, eligibility.ErrNotFound
	}
	ctx, cancel := h.context()
	defer cancel()
	set, err := db.ReadPreparedSet(ctx, h.engine.deps.DB, epoch)
	if err != nil {
		return nil, err
	}
	if set == nil {
		return nil, eligibility.ErrNotFound
	}
	return set.Set, nil
}

// FirstRewarded is eligibility.History.
func (h history) FirstRewarded(epoch wire.EpochID) ([]wire.ATXID, error) {
	ctx, cancel := h.context()
	defer cancel()
	from, to := h.layers(epoch)
	b, err := db.FirstAppliedBlock(ctx, h.engine.deps.DB, from, to)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, eligibility.ErrNotFound
	}
	ids := make([]wire.ATXID, len(b.Rewards))
	for i := range b.Rewards {
		ids[i] = b.Rewards[i].AtxID
	}
	return ids, nil
}

// Reference is eligibility.History.
func (h history) Reference(epoch wire.EpochID, id wire.ATXID) (eligibility.Declaration, error) {
	ctx, cancel := h.context()
	defer cancel()
	from, to := h.layers(epoch)
	b, err := db.ReferenceBallot(ctx, h.engine.deps.DB, id, from, to)
	if err != nil {
		return eligibility.Declaration{}, err
	}
	if b == nil {
		return eligibility.Declaration{}, eligibility.ErrNotFound
	}
	return declaration(b), nil
}

// FirstBallots is eligibility.History.
func (h history) FirstBallots(epoch wire.EpochID) ([]eligibility.Declaration, error) {
	ctx, cancel := h.context()
	defer cancel()
	from, to := h.layers(epoch)
	ballots, err := db.FirstBallots(ctx, h.engine.deps.DB, from, to)
	if err != nil {
		return nil, err
	}
	var out []eligibility.Declaration
	for _, b := range ballots {
		if b.EpochData != nil {
			out = append(out, declaration(b))
		}
	}
	return out, nil
}

func declaration(b *wire.Ballot) eligibility.Declaration {
	return eligibility.Declaration{ActiveSet: b.EpochData.ActiveSetHash, Beacon: b.EpochData.Beacon}
}

// ActiveSet is eligibility.History.
func (h history) ActiveSet(hash wire.Hash32) ([]wire.ATXID, error) {
	ctx, cancel := h.context()
	defer cancel()
	set, err := db.ReadActiveSet(ctx, h.engine.deps.DB, hash)
	if err != nil {
		return nil, err
	}
	if set == nil {
		return nil, eligibility.ErrNotFound
	}
	return set.Set, nil
}

// Beacon is eligibility.History.
func (h history) Beacon(epoch wire.EpochID) (wire.Beacon, error) {
	b, ok := h.engine.beacons.Beacon(epoch)
	if !ok {
		return b, eligibility.ErrNotFound
	}
	return b, nil
}

// ATX is eligibility.History.
func (h history) ATX(epoch wire.EpochID, id wire.ATXID) (eligibility.IndexedATX, error) {
	h.engine.mu.RLock()
	defer h.engine.mu.RUnlock()
	entry, ok := h.engine.index.Get(epoch, id)
	if !ok {
		return eligibility.IndexedATX{}, eligibility.ErrNotFound
	}
	return eligibility.IndexedATX{Node: entry.NodeID, Weight: entry.Weight}, nil
}
