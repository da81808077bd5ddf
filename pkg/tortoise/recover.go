package tortoise

import (
	"iter"
	"slices"

	"github.com/smeshery/smeshery/pkg/wire"
)

// RecoveredBlock is a stored block with its stored validity.
type RecoveredBlock struct {
	Header wire.Vote
	Valid  bool
}

// Reader gives what a node stored. Layers and epochs without an entry are empty,
// zero or not ok.
type Reader interface {
	// Snapshot is the last one taken, nil if there is none, and Inputs are the
	// calls that changed the state after it was taken, in order.
	Snapshot() []byte
	Inputs() iter.Seq[Input]

	// Now is the layer of the clock.
	Now() wire.LayerID
	// LastBallot is the highest layer with a ballot, LastApplied the last that was
	// applied, LastValid the highest with a block that was decided as valid.
	LastBallot() wire.LayerID
	LastApplied() wire.LayerID
	LastValid() wire.LayerID
	// LastTarget is the highest epoch that a stored ATX targets.
	LastTarget() wire.EpochID
	// Malicious are all identities with a proof.
	Malicious() []wire.NodeID
	ATXs(target wire.EpochID) iter.Seq[ATX]
	Beacon(epoch wire.EpochID) (wire.Beacon, bool)
	// Opinion is the aggregated hash of a layer.
	Opinion(layer wire.LayerID) (wire.Hash32, bool)
	Blocks(layer wire.LayerID) []RecoveredBlock
	// HareOutput is spec 06 §11.6.
	HareOutput(layer wire.LayerID) (wire.BlockID, bool)
	Ballots(layer wire.LayerID) []Ballot
	Coin(layer wire.LayerID) (coin, known bool)
	// Err is the first error in reading, after which all else is void.
	Err() error
}

// Restore continues where the node stopped: with the snapshot and what followed
// it, exactly as if it had not stopped; without a snapshot that fits, from the
// stored objects (spec 06 §9.14), which may report results again that were used.
func Restore(params Params, index ATXIndex, r Reader) (*Tortoise, error) {
	if snapshot := r.Snapshot(); snapshot != nil && r.Err() == nil {
		if t, err := fromSnapshot(params, index, snapshot); err == nil {
			for in := range r.Inputs() {
				// What was refused then is refused again.
				_, _ = t.Apply(in)
			}
			return t, r.Err()
		}
	}
	t := New(params, index)
	t.rebuild(r)
	return t, r.Err()
}

// rebuild is spec 06 §9.14.
func (t *Tortoise) rebuild(r Reader) {
	last, l := r.LastBallot(), t.params.LayersPerEpoch
	start := t.startOfRecovery(r)
	for _, node := range r.Malicious() {
		t.OnMalfeasance(node)
	}
	// A checkpoint starts inside of an epoch, whose first layer is never read.
	if first := t.params.EffectiveGenesis + 1; first != wire.LayerID(2*l) && !first.FirstInEpoch(l) {
		t.recoverEpoch(r, t.epochOf(first))
	}
	if valid := r.LastValid(); valid > 0 {
		t.verified = valid
	}
	t.updateLast(last)
	for id := start; id <= last && r.Err() == nil; id++ {
		t.recoverLayer(r, id)
	}
	for e := t.epochOf(last) + 1; e <= r.LastTarget(); e++ {
		t.recoverEpoch(r, e)
	}
	if last = min(last, r.Now()); last < start || r.Err() != nil {
		return
	}
	t.Tally(last)
	for id := r.LastValid(); id >= start; id-- {
		opinion, known := r.Opinion(id)
		if !known || opinion == (wire.Hash32{}) {
			continue
		}
		if applied, _ := t.OnApplied(id, opinion); applied {
			return
		}
	}
}

// startOfRecovery is the first layer whose objects are read: that after the
// genesis, or the first of the epoch in which the window begins, because all
// reference ballots of later ones lie after it.
func (t *Tortoise) startOfRecovery(r Reader) wire.LayerID {
	start := t.params.EffectiveGenesis + 1
	applied := r.LastApplied()
	window := wire.LayerID(t.params.WindowAt(applied))
	if applied <= window {
		return start
	}
	x := t.epochOf(applied - window).FirstLayer(t.params.LayersPerEpoch)
	if x <= start {
		return start
	}
	prev, ok := r.Opinion(x - 1)
	opinion, also := r.Opinion(x)
	if !ok || !also {
		return start
	}
	t.recoverFrom(x, opinion, prev)
	return x
}

func (t *Tortoise) recoverEpoch(r Reader, id wire.EpochID) {
	for atx := range r.ATXs(id) {
		// Weight that could not be counted was refused before, too.
		_ = t.OnATX(id, atx)
	}
	if beacon, ok := r.Beacon(id); ok {
		t.OnBeacon(id, beacon)
	}
}

func (t *Tortoise) recoverLayer(r Reader, id wire.LayerID) {
	if id.FirstInEpoch(t.params.LayersPerEpoch) {
		t.recoverEpoch(r, t.epochOf(id))
	}
	var hare *wire.BlockID
	if within(t.params.Hdist, id, t.last) {
		if output, ok := r.HareOutput(id); ok {
			hare = &output
		}
	}
	t.recoverBlocks(id, r.Blocks(id), hare)
	ballots := slices.Clone(r.Ballots(id))
	slices.SortStableFunc(ballots, func(a, b Ballot) int { return refers(&a) - refers(&b) })
	for i := range ballots {
		ballots[i].Malicious = false
		t.recoverBallot(&ballots[i])
	}
	if coin, known := r.Coin(id); known {
		t.OnWeakCoin(id, coin)
	}
}

// refers orders first ballots before those that refer to them.
func refers(b *Ballot) int {
	if b.EpochData != nil {
		return 0
	}
	return 1
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
