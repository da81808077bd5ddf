package tortoise

import "github.com/smeshery/smeshery/pkg/wire"

// localOpinion is the node's own opinion on a layer (spec 06 §9.3).
func (t *Tortoise) localOpinion(l *layer) wire.Hash32 {
	var prev wire.Hash32
	if l.linked {
		if prev = t.before; l.id > t.layers.first {
			prev = t.layers.get(l.id - 1).opinion
		}
	}
	recent := within(t.params.Hdist, l.id, t.last) && !l.pinned
	t.buf = startOpinion(t.buf, prev, l.linked)
	if !l.terminated {
		t.buf = append(t.buf, 0)
		return wire.Sum(t.buf)
	}
	for _, b := range l.blocks {
		vote := b.validity
		if recent {
			vote = b.hare
		}
		if vote == support {
			t.buf = appendSupport(t.buf, b.id, b.height)
		}
	}
	return wire.Sum(t.buf)
}

// recomputeOpinions renews the opinions from a layer through the processed ones,
// and the weights that depend on them. early ends at the first that stays (spec
// 06 §9.11).
func (t *Tortoise) recomputeOpinions(from wire.LayerID, early bool) {
	changed := false
	for id := from; id <= t.processed; id++ {
		l := t.layers.get(id)
		opinion := t.localOpinion(l)
		if opinion == l.opinion {
			if early {
				break
			}
			continue
		}
		l.opinion = opinion
		if !changed {
			t.markPending(id)
		}
		changed = true
	}
	if changed {
		t.recountVerifying(from)
	}
}

// updateRefHeight keeps the height that a ballot's ATX needs to be good after
// this layer (spec 06 §9.10).
func (t *Tortoise) updateRefHeight(l *layer, b *block) {
	e := t.epochs[t.epochOf(l.id)]
	if e == nil {
		return
	}
	if l.refHeight == 0 {
		if below := t.layers.below(l.id); below != nil {
			l.refHeight = below.refHeight
		}
	}
	if b.height <= e.height && b.height > l.refHeight {
		l.refHeight = b.height
	}
}
