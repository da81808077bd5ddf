package blocks

import (
	"context"
	"errors"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/wire"
)

// named is an event with its identifier among the service's events.
type named struct {
	id   string
	body events.Body
}

// included tells of an own proposal in a block (spec 06 §6.7).
func included(layer wire.LayerID, p *wire.Proposal) named {
	id := p.ID()
	return named{"included." + id.String(), &events.Proposal{
		Status: events.ProposalIncluded, ID: id, Node: p.SmesherID, Layer: layer, Body: codec.MustEncode(p),
	}}
}

// publish gives events to the stream; after a crash nobody misses them.
func (w *Worker) publish(ctx context.Context, bodies []named) {
	out := make([]bus.Stored, 0, len(bodies))
	for _, b := range bodies {
		event, err := events.New(bus.ConsensusService, w.deps.Now(), b.id, b.body)
		if err != nil {
			w.deps.Log.Error("an event does not encode", "kind", b.body.Kind(), "err", err)
			continue
		}
		out = append(out, bus.Stored{ID: bus.ConsensusService + "." + b.body.Kind() + "." + b.id, Outgoing: event})
	}
	if err := errors.Join(w.deps.Bus.Store(ctx, out)...); err != nil {
		w.deps.Log.Warn("events are lost", "err", err)
	}
}
