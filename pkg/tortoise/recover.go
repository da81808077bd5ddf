package tortoise

import "github.com/smeshery/smeshery/pkg/wire"

// RecoveredBlock is a stored block with its stored validity.
type RecoveredBlock struct {
	Header wire.Vote
	Valid  bool
}

// recoverFrom makes a layer the first one that is kept, on the word of two stored
// opinions (spec 06 §9.14 step 2).
func (t *Tortoise) recoverFrom(id wire.LayerID, opinion, prev wire.Hash32) {
	t.evicted = id - 1
	t.pending, t.verified, t.last = id, id, id
	t.processed = id - 1
	t.before = prev
	t.layers = newLayers(id)
	t.layers.extend(id)
	l := t.layers.get(id)
	l.opinion, l.linked, l.pinned, l.terminated = opinion, true, true, true
	t.expected.stale = true
}

// recoverBlocks enters a layer's stored blocks, with hare's output if it stands
// still; nil is none stored (spec 06 §9.14).
func (t *Tortoise) recoverBlocks(id wire.LayerID, blocks []RecoveredBlock, hare *wire.BlockID) {
	l := t.layers.at(id)
	if l == nil {
		return
	}
	for _, stored := range blocks {
		b := l.block(stored.Header.ID, stored.Header.Height)
		if b == nil {
			b = &block{id: stored.Header.ID, layer: id, height: stored.Header.Height}
			if stored.Valid {
				b.validity = support
			}
			t.register(l, b)
		} else if stored.Valid {
			b.validity = support
		}
		b.data = true
	}
	switch {
	case hare != nil:
		t.OnHareOutput(id, *hare)
	case !within(t.params.Hdist, id, t.last):
		l.terminated = true
		for _, b := range l.blocks {
			if b.validity == neutral {
				b.validity = against
			}
		}
	}
}

// recoverBallot enters a stored ballot. It is false when the ballot cannot be
// used any more.
func (t *Tortoise) recoverBallot(b *Ballot) bool {
	t.recovering = true
	defer func() { t.recovering = false }()
	return t.OnBallot(b) == nil
}
