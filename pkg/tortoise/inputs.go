package tortoise

import (
	"math"

	"github.com/smeshery/smeshery/pkg/tortoise/fixed"
	"github.com/smeshery/smeshery/pkg/wire"
)

// OnATX adds an activation's weight to the epoch that it targets; it stands in
// the index already and comes before the ballots that use it (spec 06 §9.6). Each
// activation is told once. Weight that cannot be counted is refused.
func (t *Tortoise) OnATX(target wire.EpochID, atx ATX) error {
	e := t.epochAt(target)
	if _, malicious := t.malicious[atx.Node]; !malicious {
		if atx.Weight > math.MaxInt64 {
			return refuse(RuleWeightOverflow, "atx of %s weighs %d", atx.Node, atx.Weight)
		}
		sum, ok := e.weight.AddChecked(fixed.FromUint64(atx.Weight))
		if !ok {
			return refuse(RuleWeightOverflow, "epoch %d", target)
		}
		e.weight = sum
		t.expected.stale = true
	}
	if target == t.epochOf(t.last) {
		t.updateLocalThreshold()
	}
	return nil
}

// OnMalfeasance stops an identity's later ballots and activations from counting.
// What was added stays (spec 06 §9.6).
func (t *Tortoise) OnMalfeasance(node wire.NodeID) { t.malicious[node] = struct{}{} }

// IsMalicious tells whether OnMalfeasance named the identity.
func (t *Tortoise) IsMalicious(node wire.NodeID) bool {
	_, malicious := t.malicious[node]
	return malicious
}

// OnBeacon tells an epoch's beacon.
func (t *Tortoise) OnBeacon(id wire.EpochID, beacon wire.Beacon) {
	if id < t.epochOf(t.evicted+1) {
		return
	}
	e := t.epochAt(id)
	e.beacon, e.hasBeacon = beacon, true
}

// OnWeakCoin tells hare's coin of a layer.
func (t *Tortoise) OnWeakCoin(id wire.LayerID, coin bool) {
	l := t.layers.at(id)
	if l == nil {
		return
	}
	if l.coin = against; coin {
		l.coin = support
	}
}

// OnBlock tells that a block's body is available (spec 06 §9.6).
func (t *Tortoise) OnBlock(header wire.Vote) {
	l := t.layers.at(header.LayerID)
	if l == nil {
		return
	}
	if known := l.block(header.ID, header.Height); known != nil {
		known.data = true
		return
	}
	t.register(l, &block{id: header.ID, layer: header.LayerID, height: header.Height, data: true})
}

// register puts a new block into its layer.
func (t *Tortoise) register(l *layer, b *block) {
	if l.terminated {
		b.hare = against
	}
	b.registered = true
	l.insert(b)
	t.updateRefHeight(l, b)
	t.countLateBlock(b)
}

// OnHareOutput tells that hare ended with a block, or with none when id is zero.
// The block is told to OnBlock before (spec 06 §9.6).
func (t *Tortoise) OnHareOutput(id wire.LayerID, output wire.BlockID) {
	l := t.layers.at(id)
	if l == nil {
		return
	}
	same := l.setHareOutput(output)
	if !same && id <= t.processed && within(t.params.Hdist, id, t.last) {
		t.recomputeOpinions(id, true)
	}
}

// setHareOutput tells whether the output was the same block before.
func (l *layer) setHareOutput(output wire.BlockID) bool {
	l.terminated = true
	same := false
	for _, b := range l.blocks {
		if b.hare == support {
			same = b.id == output
		}
	}
	for _, b := range l.blocks {
		if b.hare = against; b.id == output {
			b.hare = support
		}
	}
	return same
}

// updateLast moves the clock, which never goes back.
func (t *Tortoise) updateLast(last wire.LayerID) {
	if last <= t.last {
		return
	}
	before := t.epochOf(t.last)
	t.last = last
	t.layers.extend(last)
	if t.epochOf(last) != before {
		t.updateLocalThreshold()
	}
}
