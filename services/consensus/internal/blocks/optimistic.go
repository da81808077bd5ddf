package blocks

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/wire"
)

// wait keeps a plan until the state has the layer below it. The lowest layer gives
// way to one too many: the state is past it, or will not come to it.
func (w *Worker) wait(p waiting) {
	w.waiting[p.plan.Layer] = p
	if len(w.waiting) > maxWaiting {
		w.forget(slices.Min(slices.Collect(maps.Keys(w.waiting))))
	}
}

func (w *Worker) forget(layer wire.LayerID) {
	delete(w.waiting, layer)
	w.deps.Charges.Release(layer)
}

// executeWaiting executes the layers that come next, one after the other, and ends
// at the first that does not wait here, or with the first error.
func (w *Worker) executeWaiting(ctx context.Context) error {
	for len(w.waiting) > 0 {
		last, ok, err := state.LastApplied(ctx, w.deps.DB)
		if err != nil {
			return err
		}
		if !ok {
			last = w.params.FirstEffectiveGenesis()
		}
		next, ok := w.next(last)
		if !ok {
			return nil
		}
		if err := w.execute(ctx, next); err != nil {
			return err
		}
	}
	return nil
}

// next is the layer after the last applied one, or that one itself if it was
// executed here and not adopted. Other layers that the state has come to are
// forgotten: votes or a certificate decided them.
func (w *Worker) next(last wire.LayerID) (waiting, bool) {
	for layer, p := range w.waiting {
		if layer < last || layer == last && !p.begun {
			w.forget(layer)
		}
	}
	if p, ok := w.waiting[last]; ok {
		return p, true
	}
	p, ok := w.waiting[last+1]
	return p, ok
}

// execute makes a block of a plan by executing it. A plan that the state refuses
// for good is given up; what else goes wrong is tried again.
func (w *Worker) execute(ctx context.Context, p waiting) error {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	layer := p.plan.Layer
	p.begun = true
	w.waiting[layer] = p
	reply, err := w.deps.Engine.AdoptOptimistic(ctx, p.plan.Block().InnerBlock, w.included(p.parts))
	if err != nil {
		if refused(err) {
			w.forget(layer)
			w.deps.Metrics.made(asNoOutput)
		}
		return err
	}
	w.deps.Metrics.made(asExecuted)
	defer w.forget(layer)
	return w.finish(ctx, layer, reply.ID, p.parts)
}

func refused(err error) bool {
	return errors.Is(err, bus.Conflict) || errors.Is(err, bus.BadRequest)
}
