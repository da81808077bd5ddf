package peer

import (
	"container/list"
	"maps"
	"slices"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Bounds of Holders: hashes (spec 08 §7.2), and peers for each of them.
const (
	maxHeldHashes = 1000
	maxHolders    = 256
)

// Holders remembers which peers have mentioned a hash. The hash that was mentioned
// or asked for longest ago makes room. It is not safe for concurrent use.
type Holders struct {
	self   ID
	byHash map[wire.Hash32]*list.Element
	recent *list.List // of *heldHash, the latest in front
}

type heldHash struct {
	hash  wire.Hash32
	peers map[ID]struct{}
}

// NewHolders remembers nothing; the node's own id is never stored.
func NewHolders(self ID) *Holders {
	return &Holders{self: self, byHash: map[wire.Hash32]*list.Element{}, recent: list.New()}
}

// Add notes that a peer has the object.
func (h *Holders) Add(hash wire.Hash32, id ID) {
	if id == h.self {
		return
	}
	e := h.byHash[hash]
	if e == nil {
		if h.recent.Len() == maxHeldHashes {
			oldest := h.recent.Remove(h.recent.Back()).(*heldHash)
			delete(h.byHash, oldest.hash)
		}
		e = h.recent.PushFront(&heldHash{hash, map[ID]struct{}{}})
		h.byHash[hash] = e
	}
	h.recent.MoveToFront(e)
	if peers := e.Value.(*heldHash).peers; len(peers) < maxHolders {
		peers[id] = struct{}{}
	}
}

// Of lists the holders of a hash in order of their ids.
func (h *Holders) Of(hash wire.Hash32) []ID {
	e := h.byHash[hash]
	if e == nil {
		return nil
	}
	h.recent.MoveToFront(e)
	return slices.Sorted(maps.Keys(e.Value.(*heldHash).peers))
}
