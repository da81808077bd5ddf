package tortoise

import (
	"github.com/smeshery/smeshery/pkg/tortoise/fixed"
	"github.com/smeshery/smeshery/pkg/wire"
)

func (t *Tortoise) updateLocalThreshold() {
	var weight fixed.Number
	if e := t.epochs[t.epochOf(t.last)]; e != nil {
		weight = e.weight
	}
	t.localThreshold = localThreshold(weight, t.params.LayersPerEpoch)
}

// localThreshold is a third of the weight of one layer (spec 06 §9.6).
func localThreshold(epochWeight fixed.Number, layersPerEpoch uint32) fixed.Number {
	return epochWeight.Div(fixed.FromUint64(3)).Div(fixed.FromUint64(uint64(layersPerEpoch)))
}

// expectation is the weight of epochs, summed so that any range costs the same.
type expectation struct {
	stale  bool
	first  wire.EpochID
	weight []fixed.Number
	// sum[i] is the weight of all epochs before first+i.
	sum []fixed.Number
}

func (x *expectation) fill(first, last wire.EpochID, epochs map[wire.EpochID]*epoch) {
	x.first, x.stale = first, false
	x.weight, x.sum = x.weight[:0], append(x.sum[:0], fixed.Number{})
	for id := first; id <= last; id++ {
		var weight fixed.Number
		if e := epochs[id]; e != nil {
			weight = e.weight
		}
		x.weight = append(x.weight, weight)
		x.sum = append(x.sum, x.sum[len(x.sum)-1].Add(weight))
	}
}

// covers tells whether an epoch is summed.
func (x *expectation) covers(id wire.EpochID) bool {
	return !x.stale && id >= x.first && int(id-x.first) < len(x.weight)
}

// expect is the weight of the layers after target up to last, which is not less
// than target, with the roundings of spec 06 §9.7.
func (x *expectation) expect(target, last wire.LayerID, layersPerEpoch uint32) fixed.Number {
	part := func(id wire.EpochID, n uint32) fixed.Number {
		return x.weight[id-x.first].Mul(fixed.FromUint64(uint64(n))).Div(fixed.FromUint64(uint64(layersPerEpoch)))
	}
	from := target + 1
	a, b := from.Epoch(layersPerEpoch), last.Epoch(layersPerEpoch)
	if a == b {
		return part(a, uint32(last-from)+1)
	}
	if a > b {
		return fixed.Number{}
	}
	weight := part(a, layersPerEpoch-from.Ordinal(layersPerEpoch))
	weight = weight.Add(x.sum[b-x.first].Sub(x.sum[a+1-x.first]))
	return weight.Add(part(b, last.Ordinal(layersPerEpoch)+1))
}

// windowed is the weight that may have voted on a layer (spec 06 §9.7).
func (t *Tortoise) windowed(target wire.LayerID) fixed.Number {
	last := t.last
	window := wire.LayerID(t.params.WindowAt(target))
	if last-target > window {
		last = max(target+window, t.processed)
	}
	if a, b := t.epochOf(target+1), t.epochOf(last); !t.expected.covers(a) || !t.expected.covers(b) {
		t.expected.fill(min(a, t.epochOf(t.evicted+1)), max(b, t.epochOf(t.last)), t.epochs)
	}
	return t.expected.expect(target, last, t.params.LayersPerEpoch)
}

// global is the threshold that decides a layer, given the weight that may have
// voted on it.
func (t *Tortoise) global(windowed fixed.Number) fixed.Number {
	return windowed.Div(fixed.FromUint64(3)).Add(t.localThreshold)
}
