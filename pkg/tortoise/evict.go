package tortoise

import "github.com/smeshery/smeshery/pkg/wire"

// evict forgets what left the window behind the verified layer, unless the mesh
// has not seen it (spec 06 §9.13).
func (t *Tortoise) evict() {
	genesis := uint64(t.params.EffectiveGenesis)
	if uint64(t.verified) <= genesis+uint64(t.params.Hdist) {
		return
	}
	window := wire.LayerID(t.params.WindowAt(t.verified))
	if t.verified < window {
		return
	}
	start := t.verified - window
	if start <= t.evicted || t.pending != 0 && t.pending < start {
		return
	}
	for id := t.evicted + 1; id < start; id++ {
		t.dropLayer(t.layers.get(id))
	}
	t.layers.drop(start)
	for id := range t.delayed {
		if id < start {
			delete(t.delayed, id)
		}
	}
	t.evicted = start - 1
	t.cutChains()
}

func (t *Tortoise) dropLayer(l *layer) {
	for _, b := range l.ballots {
		delete(t.ballots, b.id)
	}
	t.before = l.opinion
	if (l.id + 1).FirstInEpoch(t.params.LayersPerEpoch) {
		id := t.epochOf(l.id)
		delete(t.epochs, id)
		t.dropped = append(t.dropped, id)
	}
}

// cutChains lets go of segments that hold evicted layers only. The hash at the
// start of the oldest segment that stays is all that is needed of them.
func (t *Tortoise) cutChains() {
	for run := range t.kept {
		if run+segmentSize <= t.evicted+1 {
			delete(t.kept, run)
		}
	}
	for _, s := range t.kept[aligned(t.evicted+1)] {
		if s.prev != nil && aligned(s.prev.first) != aligned(s.first) {
			s.prev = nil
		}
	}
}
