package engine

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/db"
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
	err := e.write(ctx, func(tx pgx.Tx) error { return db.InsertExecuting(ctx, tx, plan.LayerIndex) })
	if err != nil {
		return bus.OptimisticReply{}, err
	}
	reply, err := bus.ExecuteOptimistic().Call(ctx, e.deps.Bus, bus.OptimisticRequest{Block: plan})
	if err != nil {
		return reply, fmt.Errorf("execute layer %d: %w", plan.LayerIndex, err)
	}
	if err := e.adopt(ctx, plan.LayerIndex, reply.ID, included); err != nil {
		return reply, err
	}
	return reply, e.executed(ctx, plan.LayerIndex)
}

// executed forgets what was noted of layers up to one.
func (e *Engine) executed(ctx context.Context, layer wire.LayerID) error {
	return e.write(ctx, func(tx pgx.Tx) error { return db.DeleteExecuting(ctx, tx, layer) })
}

// adoptInterrupted takes the block of a layer that the state executed ahead while
// an earlier process died: without a word for it the tortoise would have it taken
// back.
func (e *Engine) adoptInterrupted(ctx context.Context) error {
	layers, err := db.Executing(ctx, e.deps.DB)
	if err != nil || len(layers) == 0 {
		return err
	}
	for _, layer := range layers {
		if uint32(layer) <= e.processed.Load() {
			continue
		}
		if err := e.adoptApplied(ctx, layer); err != nil {
			return fmt.Errorf("take up layer %d: %w", layer, err)
		}
	}
	return e.executed(ctx, layers[len(layers)-1])
}

// adoptApplied makes the block that the state applied in a layer the output of
// hare, if there is one and no other word of hare.
func (e *Engine) adoptApplied(ctx context.Context, layer wire.LayerID) error {
	applied, err := e.readApplied(ctx, layer)
	if err != nil {
		return err
	}
	id, ok := applied.Block(layer)
	rows, err := db.Certificates(ctx, e.deps.DB, layer)
	if err != nil || !ok || wire.IsZero(id) || len(rows) > 0 {
		return err
	}
	blocks, err := state.BlocksBetween(ctx, e.deps.DB, layer, layer)
	if err != nil {
		return err
	}
	e.mu.Lock()
	for i := range blocks {
		e.tortoise.OnBlock(blocks[i].Vote())
	}
	e.mu.Unlock()
	return e.adopt(ctx, layer, id, nil)
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
