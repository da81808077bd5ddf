package tortoise

import (
	"math"

	"github.com/smeshery/smeshery/pkg/wire"
)

// unchanged stands for no layer where the lowest changed one is told.
const unchanged = wire.LayerID(math.MaxUint32)

// verifyLayers decides layers in order, and how to count from now on (spec 06 §9.11).
func (t *Tortoise) verifyLayers() {
	reached, changed := t.runModes()
	verified := max(t.evicted, t.params.EffectiveGenesis)
	for id := t.evicted + 1; id < t.processed; id++ {
		if reached < id {
			if id < t.verified {
				changed = min(changed, id)
			}
			break
		}
		if id > t.verified {
			changed = min(changed, id)
		}
		verified = id
	}
	if changed != unchanged {
		t.markPending(changed)
		t.recomputeOpinions(changed, false)
	}
	t.verified = verified
}

// runModes is how far layers verify, and the lowest whose validity changed.
func (t *Tortoise) runModes() (reached, changed wire.LayerID) {
	if t.mode == Full {
		reached, changed = t.run(t.verifyByMargins)
		byGood, changedByGood := t.run(t.verifyByGood)
		if last := t.processed - 1; reached == last && byGood == last {
			t.becomeVerifying()
			changed = min(changed, changedByGood)
		}
		return reached, changed
	}
	reached, changed = t.run(t.verifyByGood)
	if !within(t.params.Hdist, reached+1, t.last) {
		t.becomeFull()
		var changedByMargins wire.LayerID
		reached, changedByMargins = t.run(t.verifyByMargins)
		changed = min(changed, changedByMargins)
	}
	return reached, changed
}

func (t *Tortoise) run(verify func(*layer) (ok, changed bool)) (reached, changed wire.LayerID) {
	reached, changed = t.evicted, unchanged
	for id := t.evicted + 1; id < t.processed; id++ {
		ok, differs := verify(t.layers.get(id))
		if !ok {
			break
		}
		if differs {
			changed = min(changed, id)
		}
		reached = id
	}
	return reached, changed
}

func (t *Tortoise) becomeVerifying() { t.mode = Verifying }

// becomeFull counts all votes that were not counted in full before.
func (t *Tortoise) becomeFull() {
	t.mode = Full
	for id := max(t.counted, t.evicted) + 1; id <= t.processed; id++ {
		t.countFull(t.layers.get(id).ballots)
		t.countDelayed(id)
		t.counted = id
	}
}
