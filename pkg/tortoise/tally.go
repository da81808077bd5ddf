package tortoise

import "github.com/smeshery/smeshery/pkg/wire"

// Tally counts all layers up to one that the clock has reached, decides what the
// votes decide and forgets what left the window (spec 06 §9.11).
func (t *Tortoise) Tally(id wire.LayerID) Effects {
	t.updateLast(id)
	t.drainRetries()
	for t.processed < t.last {
		t.process(t.processed + 1)
	}
	t.verifyLayers()
	t.evict()
	return t.effects()
}

// drainRetries counts ballots whose beacon came, in order of arrival.
func (t *Tortoise) drainRetries() {
	for len(t.retry) > 0 && t.count(t.retry[0]) {
		t.retry[0] = nil
		t.retry = t.retry[1:]
	}
}

func (t *Tortoise) process(p wire.LayerID) {
	l := t.layers.at(p)
	if p.FirstInEpoch(t.params.LayersPerEpoch) {
		id := t.epochOf(p)
		t.epochAt(id).height = MedianHeight(t.index.Heights(id))
	}
	for _, b := range l.blocks {
		t.updateRefHeight(l, b)
	}
	if p-1 > t.evicted {
		l.goodUncounted = l.goodUncounted.Add(t.layers.get(p - 1).goodUncounted)
		l.linked = true
	}
	t.processed = p
	if t.mode == Full {
		t.countDelayed(p)
		t.counted = p
	}
	t.countLayer(l)
	if opinion := t.localOpinion(l); opinion != l.opinion {
		l.opinion = opinion
		t.markPending(t.last)
	}
	t.giveUpHare(p)
	if hdist := wire.LayerID(t.params.Hdist); p > hdist && p-hdist > t.evicted {
		t.recomputeOpinions(p-hdist, true)
	}
}

// countLayer counts all ballots of the layer that is processed.
func (t *Tortoise) countLayer(l *layer) {
	var full []*ballot
	for _, b := range l.ballots {
		if b.layer-1 <= t.evicted {
			continue
		}
		if !t.judgeBeacon(b) {
			t.retry = append(t.retry, b)
			continue
		}
		t.countVerifying(b)
		if b.layer <= t.counted {
			full = append(full, b)
		}
	}
	t.countFull(full)
}

// giveUpHare ends the wait for hare in the layer zdist before (spec 06 §9.11).
func (t *Tortoise) giveUpHare(p wire.LayerID) {
	zdist := wire.LayerID(t.params.Zdist)
	if p <= zdist || p-zdist <= t.evicted {
		return
	}
	if l := t.layers.get(p - zdist); !l.terminated {
		t.OnHareOutput(l.id, wire.BlockID{})
	}
}
