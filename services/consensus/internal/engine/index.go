package engine

import (
	"github.com/smeshery/smeshery/pkg/atx/atxcache"
	"github.com/smeshery/smeshery/pkg/proposal"
	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/tortoise"
	"github.com/smeshery/smeshery/pkg/wire"
)

// tortoiseIndex lets the tortoise read the ATX cache. It is used under the
// engine's lock.
type tortoiseIndex struct{ cache *atxcache.Cache }

// ATX is tortoise.ATXIndex.
func (x tortoiseIndex) ATX(target wire.EpochID, id wire.ATXID) (tortoise.ATX, bool) {
	entry, ok := x.cache.Get(target, id)
	return countedATX(&entry), ok
}

// Heights is tortoise.ATXIndex.
func (x tortoiseIndex) Heights(target wire.EpochID) []uint64 {
	heights := make([]uint64, 0, x.cache.Len(target))
	for entry := range x.cache.All(target) {
		if !entry.Malicious {
			heights = append(heights, entry.Height)
		}
	}
	return heights
}

func countedATX(entry *atxcache.Entry) tortoise.ATX {
	return tortoise.ATX{Node: entry.NodeID, Weight: entry.Weight, Height: entry.Height}
}

func cacheEntry(a *activation.ATX) atxcache.Entry {
	return atxcache.Entry{
		ID: a.ID, NodeID: a.Node, Coinbase: a.Coinbase, Weight: a.Weight,
		BaseHeight: a.BaseHeight, Height: a.Height(), Nonce: a.VRFNonce,
	}
}

// votingATX is what judging a ballot needs.
func votingATX(entry *atxcache.Entry) proposal.ATX {
	return proposal.ATX{Node: entry.NodeID, Weight: entry.Weight, Nonce: entry.Nonce}
}

// weights remembers the weights of active sets. It is bounded: a peer that
// names ever new sets pushes out old ones.
type weights struct {
	known map[wire.Hash32]uint64
	order []wire.Hash32
}

// maxWeights is spec 06 §7.4.
const maxWeights = 10_000

func newWeights() weights { return weights{known: make(map[wire.Hash32]uint64)} }

func (w *weights) get(hash wire.Hash32) (uint64, bool) {
	weight, ok := w.known[hash]
	return weight, ok
}

func (w *weights) put(hash wire.Hash32, weight uint64) {
	if _, known := w.known[hash]; known {
		return
	}
	if len(w.order) == maxWeights {
		delete(w.known, w.order[0])
		w.order = w.order[1:]
	}
	w.known[hash] = weight
	w.order = append(w.order, hash)
}
