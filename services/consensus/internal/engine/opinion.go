package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/smeshery/smeshery/pkg/atx/atxcache"
	"github.com/smeshery/smeshery/pkg/eligibility"
	"github.com/smeshery/smeshery/pkg/proposal"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/db"
)

// Opinion counts all votes up to a layer and writes this node's own for a ballot in
// it, with the mesh hash for a proposal (spec 06 §6.4, §6.6).
func (e *Engine) Opinion(ctx context.Context, layer wire.LayerID) (*wire.Opinion, wire.Hash32, error) {
	e.mu.Lock()
	e.evict(e.tortoise.Tally(layer))
	opinion, err := e.tortoise.EncodeVotes(layer)
	verified := e.tortoise.Verified()
	e.mu.Unlock()
	if err != nil {
		return nil, wire.Hash32{}, fmt.Errorf("encode votes for layer %d: %w", layer, err)
	}
	hash, err := e.meshHash(ctx, layer, verified)
	if err != nil {
		// A hash that cannot be read counts as none.
		e.deps.Log.Warn("proposals are without a mesh hash", "layer", layer, "err", err)
		hash = wire.Hash32{}
	}
	return opinion, hash, nil
}

// meshHash is what the blocks of a layer would be executed on, or zero.
func (e *Engine) meshHash(ctx context.Context, layer, verified wire.LayerID) (h wire.Hash32, err error) {
	floor := e.genesis
	if back := wire.LayerID(e.params.Tortoise.Hdist) + 1; layer > back {
		floor = max(layer-back, e.genesis)
	}
	if verified < floor {
		return h, nil
	}
	if want := int(layer-1) - int(floor); want > 0 {
		have, err := db.ValidOutputs(ctx, e.deps.DB, floor+1, layer-1)
		if err != nil || have < want {
			return h, err
		}
	}
	return e.AggregatedHash(ctx, layer-1)
}

// OwnATXs are the activations of identities that target an epoch.
func (e *Engine) OwnATXs(target wire.EpochID, ids []wire.NodeID) map[wire.NodeID]atxcache.Entry {
	out := make(map[wire.NodeID]atxcache.Entry, len(ids))
	e.mu.RLock()
	defer e.mu.RUnlock()
	for _, id := range ids {
		for entry := range e.index.OfNode(target, id) {
			out[id] = entry
			break
		}
	}
	return out
}

// FirstBlockSet is the active set from the first applied block of an epoch; nil if
// there is none yet (spec 06 §5.3).
func (e *Engine) FirstBlockSet(ctx context.Context, epoch wire.EpochID) ([]wire.ATXID, error) {
	h := history{e}
	from, to := h.layers(epoch)
	b, err := db.FirstAppliedBlock(ctx, e.deps.DB, from, to)
	if err != nil || b == nil {
		return nil, err
	}
	var named [][]wire.ATXID
	for i := range b.Rewards {
		ref, err := h.Reference(epoch, b.Rewards[i].AtxID)
		if err == nil {
			var set []wire.ATXID
			if set, err = h.ActiveSet(ref.ActiveSet); err == nil {
				named = append(named, set)
				continue
			}
		}
		if errors.Is(err, eligibility.ErrNotFound) {
			return nil, fmt.Errorf("the epoch's first block %s rests on ballots or active sets that are not here", b.ID())
		}
		return nil, err
	}
	return proposal.FirstBlockSet(b.Rewards, named), nil
}
