package engine

import (
	"context"
	"fmt"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/wire"
)

// AdoptOutput takes this node's own output of a layer: the block, or nil for an
// empty layer. The block is stored, the output registered for certificates and
// told to the tortoise, and users hear that the layer is approved, and of the
// included proposals (spec 06 §10.6, §12.4). A repeat only tells users again.
// Process is to follow.
func (e *Engine) AdoptOutput(ctx context.Context, layer wire.LayerID, b *wire.Block, included []*events.Proposal) (id wire.BlockID, err error) {
	if err := e.begun(layer); err != nil {
		return id, err
	}
	e.processing.Lock()
	defer e.processing.Unlock()
	if b != nil {
		id = b.ID()
		j, err := bus.SyncIn(bus.KindBlock).Call(ctx, e.deps.Bus, bus.FetchedObject{
			Peer: bus.SelfPeer, Hash: wire.Pad32(id), Body: codec.MustEncode(b),
		})
		if err != nil {
			return id, fmt.Errorf("store block %s: %w", id, err)
		}
		if j.Verdict != bus.Accept {
			return id, fmt.Errorf("store block %s: %s %s %s", id, j.Verdict, j.Reason, j.Detail)
		}
	}
	return id, e.adopt(ctx, layer, id, included)
}

// AdoptOptimistic executes a layer's plan and takes the block that comes of it as
// this node's output. Between the two nothing else happens to layers: the
// tortoise would have the state take back a block that it has not heard of.
func (e *Engine) AdoptOptimistic(ctx context.Context, plan wire.InnerBlock, included []*events.Proposal) (bus.OptimisticReply, error) {
	if err := e.begun(plan.LayerIndex); err != nil {
		return bus.OptimisticReply{}, err
	}
	e.processing.Lock()
	defer e.processing.Unlock()
	reply, err := bus.ExecuteOptimistic().Call(ctx, e.deps.Bus, bus.OptimisticRequest{Block: plan})
	if err != nil {
		return reply, fmt.Errorf("execute layer %d: %w", plan.LayerIndex, err)
	}
	return reply, e.adopt(ctx, plan.LayerIndex, reply.ID, included)
}

// adopt registers an output and tells of it. The processing lock is held.
func (e *Engine) adopt(ctx context.Context, layer wire.LayerID, id wire.BlockID, included []*events.Proposal) error {
	// The tortoise hears of a block before it hears that hare chose it.
	if err := e.Follow(ctx); err != nil {
		return err
	}
	if err := e.register(ctx, layer, id); err != nil {
		e.deps.Log.Warn("no certificate was made of what is collected", "layer", layer, "block", id, "err", err)
	}
	told := []events.Body{&events.LayerUpdate{Layer: layer, Status: events.LayerApproved}}
	for _, p := range included {
		told = append(told, p)
	}
	return e.output(ctx, layer, id, told...)
}
