package tortoise

import "github.com/smeshery/smeshery/pkg/wire"

// count counts a ballot both ways, and is false while its epoch has no beacon
// (spec 06 §9.8).
func (t *Tortoise) count(b *ballot) bool {
	if b.layer-1 <= t.evicted {
		return true
	}
	if !t.judgeBeacon(b) {
		return false
	}
	t.countVerifying(b)
	if b.layer <= t.counted {
		t.countFull([]*ballot{b})
	}
	return true
}

func (t *Tortoise) judgeBeacon(b *ballot) bool {
	e := t.epochs[t.epochOf(b.layer)]
	if e == nil || !e.hasBeacon {
		return false
	}
	b.badBeacon = b.ref.beacon != e.beacon
	return true
}

// isGood tells whether a ballot counts in verifying mode (spec 06 §9.8.1).
func (t *Tortoise) isGood(b *ballot) bool {
	if b.badBeacon {
		return false
	}
	voted := t.layers.get(b.layer - 1)
	return b.opinion.hash == voted.opinion && voted.refHeight <= b.ref.height
}

func (t *Tortoise) countVerifying(b *ballot) {
	if b.weight.IsZero() || !t.isGood(b) {
		return
	}
	t.totalGood = t.totalGood.Add(b.weight)
	for id := b.layer; id <= t.processed; id++ {
		l := t.layers.get(id)
		l.goodUncounted = l.goodUncounted.Add(b.weight)
	}
}

// recountVerifying counts the ballots after a layer anew (spec 06 §9.11).
func (t *Tortoise) recountVerifying(from wire.LayerID) {
	good := t.layers.get(from).goodUncounted
	for id := from + 1; id <= t.processed; id++ {
		l := t.layers.get(id)
		for _, b := range l.ballots {
			if b.layer-1 > t.evicted && t.isGood(b) {
				good = good.Add(b.weight)
			}
		}
		l.goodUncounted = good
	}
	t.totalGood = good
}

// verifyByGood is verifying.verify of spec 06 §9.11.
func (t *Tortoise) verifyByGood(l *layer) (ok, changed bool) {
	if !l.terminated {
		return false, false
	}
	margin := t.totalGood.Sub(l.goodUncounted)
	windowed := t.windowed(l.id)
	// Weight that did not vote counts as if it had voted against.
	if uncounted := windowed.Sub(margin); uncounted.Sign() > 0 {
		margin = margin.Sub(uncounted)
	}
	if margin.Crosses(t.global(windowed)) != 1 {
		return false, false
	}
	recent := within(t.params.Hdist, l.id, t.last)
	t.decisions = t.decisions[:0]
	for _, b := range l.blocks {
		decision := neutral
		switch {
		case b.height > l.refHeight:
		case recent:
			decision = b.hare
		case b.layer <= t.verified:
			decision = b.validity
		}
		t.decisions = append(t.decisions, decision)
	}
	return decide(l.blocks, t.decisions)
}

// decide is the layer rule of spec 06 §9.11: an undecided block is invalid when a
// valid one is strictly lower, else the layer is not verified and nothing written.
func decide(blocks []*block, decisions []int8) (ok, changed bool) {
	var lowest uint64
	supported := false
	for i, b := range blocks {
		switch {
		case decisions[i] == neutral && supported && lowest < b.height:
			decisions[i] = against
		case decisions[i] == neutral:
			return false, false
		case decisions[i] == support && !supported:
			lowest, supported = b.height, true
		}
	}
	for i, b := range blocks {
		changed = changed || b.validity != decisions[i]
		b.validity = decisions[i]
	}
	return true, changed
}
