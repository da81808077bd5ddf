package tortoise

import (
	"cmp"
	"slices"

	"github.com/smeshery/smeshery/pkg/tortoise/fixed"
	"github.com/smeshery/smeshery/pkg/wire"
)

// heightWeight is weight that votes on blocks up to a height.
type heightWeight struct {
	height uint64
	weight fixed.Number
}

// heightWeights answers how much of a group's weight may vote on a block.
type heightWeights struct {
	// list by ascending height.
	list []heightWeight
	// rest[i] is the weight of list[i:].
	rest []fixed.Number
}

func (w *heightWeights) sum() {
	slices.SortFunc(w.list, func(a, b heightWeight) int { return cmp.Compare(a.height, b.height) })
	w.rest = slices.Grow(w.rest[:0], len(w.list)+1)[:len(w.list)+1]
	w.rest[len(w.list)] = fixed.Number{}
	for i := len(w.list) - 1; i >= 0; i-- {
		w.rest[i] = w.rest[i+1].Add(w.list[i].weight)
	}
}

func (w *heightWeights) total() fixed.Number { return w.rest[0] }

// from is the weight of ATXs of at least a height.
func (w *heightWeights) from(height uint64) fixed.Number {
	if len(w.list) == 0 || height <= w.list[0].height {
		return w.rest[0]
	}
	i, _ := slices.BinarySearchFunc(w.list, height, func(e heightWeight, height uint64) int {
		return cmp.Compare(e.height, height)
	})
	return w.rest[i]
}

// walker carries the weight of all ballots whose votes run through a segment.
type walker struct {
	segment *segment
	end     wire.LayerID
	weights heightWeights
}

// countFull counts ballots of one layer for and against every block (spec 06
// §9.8.2). Where their chains meet they go on as one.
func (t *Tortoise) countFull(ballots []*ballot) {
	walkers := t.startWalkers(ballots)
	for len(walkers) > 0 {
		// The walker that is farthest ahead goes first, so that it can be joined.
		at := 0
		for i := range walkers {
			if walkers[i].end > walkers[at].end {
				at = i
			}
		}
		w := walkers[at]
		walkers = slices.Delete(walkers, at, at+1)
		t.walk(w)
		w.segment, w.end = w.segment.prev, w.segment.first
		if w.segment != nil && w.end-1 > t.evicted {
			walkers = join(walkers, w)
		}
	}
}

func (t *Tortoise) startWalkers(ballots []*ballot) []*walker {
	var walkers []*walker
	byOpinion := make(map[*opinion]*walker)
	for _, b := range ballots {
		if b.badBeacon && uint64(b.layer)+uint64(t.params.BadBeaconDelay) > uint64(t.last) {
			at := b.layer + wire.LayerID(t.params.BadBeaconDelay)
			t.delayed[at] = append(t.delayed[at], b)
			continue
		}
		if b.malicious || b.weight.IsZero() || b.opinion.tail == nil {
			continue
		}
		w := byOpinion[b.opinion]
		if w == nil {
			w = &walker{segment: b.opinion.tail, end: b.opinion.end}
			byOpinion[b.opinion] = w
			walkers = append(walkers, w)
		}
		w.weights.list = append(w.weights.list, heightWeight{b.ref.height, b.weight})
	}
	for _, w := range walkers {
		w.weights.sum()
	}
	return walkers
}

func join(walkers []*walker, w *walker) []*walker {
	for _, other := range walkers {
		if other.segment == w.segment && other.end == w.end {
			other.weights.list = append(other.weights.list, w.weights.list...)
			other.weights.sum()
			return walkers
		}
	}
	return append(walkers, w)
}

// walk applies a segment's votes, newest first, down to the evicted layers.
func (t *Tortoise) walk(w *walker) {
	for id := w.end; id > w.segment.first && id-1 > t.evicted; id-- {
		if vote := w.segment.at(id - 1); !vote.abstain {
			t.layers.get(id-1).countVote(vote, &w.weights)
		}
	}
}

func (l *layer) countVote(vote *layerVote, weights *heightWeights) {
	supported := vote.support
	for _, b := range l.blocks {
		weight := weights.from(b.height)
		if len(supported) > 0 && supported[0] == b {
			b.margin = b.margin.Add(weight)
			supported = supported[1:]
		} else {
			b.margin = b.margin.Sub(weight)
		}
	}
	// A ballot that is too low to support any block of its vote supports none.
	var backing fixed.Number
	if len(vote.support) > 0 {
		backing = weights.from(vote.support[0].height)
	}
	l.emptyMargin = l.emptyMargin.Sub(backing).Add(weights.total().Sub(backing))
}

// countLateBlock counts earlier ballots against a block that none of them can
// have voted for (spec 06 §9.8.2).
func (t *Tortoise) countLateBlock(b *block) {
	for id := b.layer; id < t.counted; id++ {
		l := t.layers.get(id + 1)
		b.margin = b.margin.Sub(l.allWeights().from(b.height))
		for _, o := range l.opinions {
			if !o.abstainsOn(b.layer) {
				continue
			}
			for _, abstained := range l.ballots {
				if abstained.opinion == o && abstained.ref.height >= b.height {
					b.margin = b.margin.Add(abstained.weight)
				}
			}
		}
	}
}

// allWeights are those of all ballots of the layer.
func (l *layer) allWeights() *heightWeights {
	if l.weights == nil {
		l.weights = new(heightWeights)
		for _, b := range l.ballots {
			l.weights.list = append(l.weights.list, heightWeight{b.ref.height, b.weight})
		}
		l.weights.sum()
	}
	return l.weights
}

// countDelayed counts ballots with another beacon whose time has come.
func (t *Tortoise) countDelayed(at wire.LayerID) {
	if ballots := t.delayed[at]; len(ballots) > 0 {
		delete(t.delayed, at)
		t.countFull(ballots)
	}
}

// verifyByMargins is full.verify of spec 06 §9.11.
func (t *Tortoise) verifyByMargins(l *layer) (ok, changed bool) {
	threshold := t.global(t.windowed(l.id))
	empty := l.emptyMargin.Crosses(threshold) == 1
	if len(l.blocks) == 0 {
		return empty, false
	}
	t.decisions = t.decisions[:0]
	for _, b := range l.blocks {
		decision := int8(b.margin.Crosses(threshold))
		if decision == neutral && empty {
			decision = against
		}
		t.decisions = append(t.decisions, decision)
	}
	return decide(l.blocks, t.decisions)
}
