package mesh

import (
	"errors"
	"fmt"

	"github.com/smeshery/smeshery/pkg/wire"
)

// ErrOrder says that a layer would have to be applied before the one below it.
var ErrOrder = errors.New("layers not in order")

// Applied reads the applied markers.
type Applied interface {
	// Block is the block applied in the layer, zero for an empty layer; it
	// is false where nothing was applied.
	Block(wire.LayerID) (wire.BlockID, bool)
	// Last is the highest layer with a marker.
	Last() wire.LayerID
}

// Mesh holds the markers of spec 06 §12.1.
type Mesh struct {
	processed, inState, latest wire.LayerID
	// waiting are processed layers above a gap.
	waiting map[wire.LayerID]bool
}

// Restore starts from stored markers; all are the effective genesis at first.
func Restore(processed, inState, latest wire.LayerID) *Mesh {
	return &Mesh{processed: processed, inState: inState, latest: max(latest, processed), waiting: make(map[wire.LayerID]bool)}
}

// Processed is the highest layer up to which all were processed.
func (m *Mesh) Processed() wire.LayerID { return m.processed }

// InState is the last layer applied to the state.
func (m *Mesh) InState() wire.LayerID { return m.inState }

// Latest is the highest layer of which anything was seen.
func (m *Mesh) Latest() wire.LayerID { return m.latest }

// Seen raises the latest layer.
func (m *Mesh) Seen(layer wire.LayerID) { m.latest = max(m.latest, layer) }

// Advance notes that a layer was processed.
func (m *Mesh) Advance(layer wire.LayerID) {
	m.Seen(layer)
	if layer <= m.processed {
		return
	}
	m.waiting[layer] = true
	for m.waiting[m.processed+1] {
		m.processed++
		delete(m.waiting, m.processed)
	}
}

// Reverted notes that the state holds layers up to and including to.
func (m *Mesh) Reverted(to wire.LayerID) { m.inState = to }

// Applied notes that a step was carried out.
func (m *Mesh) Applied(layer wire.LayerID) { m.inState = max(m.inState, layer) }

// Verdict is a block's validity to store.
type Verdict struct {
	ID    wire.BlockID
	Valid bool
}

// Step applies one layer.
type Step struct {
	Layer wire.LayerID
	// Block is zero for an empty layer.
	Block wire.BlockID
	// Execute is false where the block is applied already and only the
	// markers change.
	Execute bool
	// Opinion is the aggregated hash to store.
	Opinion wire.Hash32
	// Verified steps are reported back to the tortoise.
	Verified bool
	Validity []Verdict
}

// Plan is what to do, in this order: revert, clear the markers above, the steps.
type Plan struct {
	// Revert tells whether the state goes back to RevertTo; applied block,
	// state hash and aggregated hash of all layers above are then cleared.
	Revert   bool
	RevertTo wire.LayerID
	Steps    []Step
	// Missing are bodies to fetch. A plan with missing bodies is still
	// carried out as far as it goes.
	Missing []wire.BlockID
	// Err is ErrOrder where the steps end before the updates do because a
	// layer in between was never processed.
	Err error
}

// Process turns the tortoise's updates into a plan (spec 06 §12.2 steps 3 to 5).
func (m *Mesh) Process(updates []Update, applied Applied) Plan {
	var p Plan
	updates = m.applicable(updates, &p)
	m.consistency(updates, applied, &p)
	next := applied.Last() + 1
	if p.Revert {
		next = p.RevertTo + 1
	}
	for i := range updates {
		u := &updates[i]
		target := u.FirstValid()
		if !u.Verified && wire.IsZero(target) {
			return p
		}
		have, done := applied.Block(u.Layer)
		execute := !done || have != target || p.Revert && u.Layer > p.RevertTo
		if execute {
			if u.Layer != next {
				p.Err = fmt.Errorf("%w: layer %d after %d", ErrOrder, u.Layer, next-1)
				return p
			}
			next++
		}
		p.Steps = append(p.Steps, Step{
			Layer: u.Layer, Block: target, Execute: execute, Opinion: u.Opinion, Verified: u.Verified, Validity: verdicts(u),
		})
	}
	return p
}

// applicable cuts the updates at the first layer that lacks a body, and notes
// everything that is missing.
func (m *Mesh) applicable(updates []Update, p *Plan) []Update {
	cut := len(updates)
	for i := range updates {
		ids := updates[i].missing()
		if len(ids) > 0 && len(p.Missing) == 0 {
			if cut = i; updates[i].Layer <= m.inState+1 {
				cut = 0
			}
		}
		p.Missing = append(p.Missing, ids...)
	}
	return updates[:cut]
}

// consistency finds the lowest layer in which another block was applied than
// is valid now.
func (m *Mesh) consistency(updates []Update, applied Applied, p *Plan) {
	for i := range updates {
		u := &updates[i]
		if have, done := applied.Block(u.Layer); done && have != u.FirstValid() {
			p.Revert, p.RevertTo = true, u.Layer-1
			return
		}
	}
}

func verdicts(u *Update) (out []Verdict) {
	for _, b := range u.Blocks {
		if b.Flags&Data != 0 && b.Flags&(Valid|Invalid) != 0 {
			out = append(out, Verdict{ID: b.ID, Valid: b.Flags&Valid != 0})
		}
	}
	return out
}
