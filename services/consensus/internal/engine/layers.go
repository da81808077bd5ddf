package engine

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/mesh"
	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/tortoise"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/db"
)

// Process tallies votes up to a layer and makes the state follow (spec 06
// §12.2). A repeat finds the work done. A layer that has not begun is refused.
func (e *Engine) Process(ctx context.Context, layer wire.LayerID) (bus.ProcessReply, error) {
	if err := e.begun(layer); err != nil {
		return bus.ProcessReply{}, err
	}
	e.processing.Lock()
	defer e.processing.Unlock()
	reply, err := e.process(ctx, layer)
	e.behind.Store(err != nil)
	return reply, err
}

// Behind tells that the last attempt to process a layer failed: the state may not
// have followed layers that count as processed.
func (e *Engine) Behind() bool { return e.behind.Load() }

func (e *Engine) process(ctx context.Context, layer wire.LayerID) (bus.ProcessReply, error) {
	if err := e.Follow(ctx); err != nil {
		return bus.ProcessReply{}, err
	}
	e.mu.Lock()
	e.evict(e.tortoise.Tally(layer))
	e.mesh.Advance(layer)
	e.processed.Store(uint32(e.mesh.Processed()))
	updates := meshUpdates(e.tortoise.Updates())
	e.mu.Unlock()
	missing, err := e.carryOut(ctx, updates)
	if err != nil {
		return bus.ProcessReply{}, fmt.Errorf("process layer %d: %w", layer, err)
	}
	// Last: a layer that is marked needs no second look after a crash.
	if err := e.write(ctx, func(tx pgx.Tx) error { return db.SetProcessed(ctx, tx, layer) }); err != nil {
		return bus.ProcessReply{}, err
	}
	e.deps.Costs.Layers.Inc()
	s := e.Status()
	return bus.ProcessReply{Processed: s.Processed, Verified: s.Verified, InState: s.InState, Missing: missing}, nil
}

// begun refuses layers of the future: memory is kept for every layer up to the
// highest that was named.
func (e *Engine) begun(layer wire.LayerID) error {
	if current := e.current(); layer > current {
		return bus.Errorf(bus.BadRequest, "layer %d has not begun, it is layer %d now", layer, current)
	}
	return nil
}

// carryOut plans and does what the plan says, step by step.
func (e *Engine) carryOut(ctx context.Context, updates []mesh.Update) ([]wire.BlockID, error) {
	if len(updates) == 0 {
		return nil, nil
	}
	applied, err := e.readApplied(ctx, updates[0].Layer)
	if err != nil {
		return nil, err
	}
	plan := e.mesh.Process(updates, applied)
	if plan.Revert {
		if err := e.revert(ctx, plan.RevertTo); err != nil {
			return nil, err
		}
	}
	for i := range plan.Steps {
		if err := e.apply(ctx, &plan.Steps[i]); err != nil {
			return nil, fmt.Errorf("apply layer %d: %w", plan.Steps[i].Layer, err)
		}
	}
	return plan.Missing, plan.Err
}

// markers are the state's applied layers (mesh.Applied).
type markers struct {
	blocks map[wire.LayerID]wire.BlockID
	last   wire.LayerID
}

// Block is mesh.Applied.
func (m markers) Block(l wire.LayerID) (wire.BlockID, bool) {
	id, ok := m.blocks[l]
	return id, ok
}

// Last is mesh.Applied.
func (m markers) Last() wire.LayerID { return m.last }

func (e *Engine) readApplied(ctx context.Context, from wire.LayerID) (markers, error) {
	rows, err := state.AppliedFrom(ctx, e.deps.DB, from)
	if err != nil {
		return markers{}, err
	}
	m := markers{blocks: make(map[wire.LayerID]wire.BlockID, len(rows)), last: e.genesis}
	for _, row := range rows {
		m.blocks[row.Layer] = row.Block
	}
	last, ok, err := state.LastApplied(ctx, e.deps.DB)
	if ok {
		m.last = last
	}
	return m, err
}

// revert takes layers back; the marks of the layers above go first, so that a
// crash leaves marks only for layers that the state holds.
func (e *Engine) revert(ctx context.Context, to wire.LayerID) error {
	if err := e.write(ctx, func(tx pgx.Tx) error { return db.ClearHashes(ctx, tx, to) }); err != nil {
		return err
	}
	if _, err := bus.Revert().Call(ctx, e.deps.Bus, bus.RevertRequest{To: to}); err != nil {
		return fmt.Errorf("revert to layer %d: %w", to, err)
	}
	e.mu.Lock()
	e.mesh.Reverted(to)
	e.mu.Unlock()
	e.deps.Log.Warn("reverted", "to", to)
	return nil
}

// apply executes a layer where that is due, stores its marks, and tells the
// tortoise when it is verified.
func (e *Engine) apply(ctx context.Context, s *mesh.Step) error {
	if s.Execute {
		if _, err := bus.Execute().Call(ctx, e.deps.Bus, bus.ExecuteRequest{Layer: s.Layer, Block: s.Block}); err != nil {
			return err
		}
	}
	err := e.write(ctx, func(tx pgx.Tx) error {
		if err := db.SetHash(ctx, tx, s.Layer, s.Opinion); err != nil {
			return err
		}
		if err := db.SetValidity(ctx, tx, s.Layer, s.Validity); err != nil || !s.Verified {
			return err
		}
		return e.tell(ctx, tx, &events.LayerUpdate{Layer: s.Layer, Status: events.LayerApplied})
	})
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if s.Verified {
		_, effects := e.tortoise.OnApplied(s.Layer, s.Opinion)
		e.evict(effects)
	}
	e.mesh.Applied(s.Layer)
	return nil
}

func meshUpdates(results []tortoise.LayerResult) []mesh.Update {
	updates := make([]mesh.Update, len(results))
	for i := range results {
		r := &results[i]
		updates[i] = mesh.Update{Layer: r.Layer, Verified: r.Verified, Opinion: r.Opinion}
		for _, b := range r.Blocks {
			updates[i].Blocks = append(updates[i].Blocks, mesh.Block{ID: b.Header.ID, Flags: meshFlags(&b)})
		}
	}
	return updates
}

func meshFlags(b *tortoise.BlockResult) (f mesh.Flags) {
	for _, flag := range [...]struct {
		set  bool
		flag mesh.Flags
	}{{b.Valid, mesh.Valid}, {b.Invalid, mesh.Invalid}, {b.Hare, mesh.Hare}, {b.Data, mesh.Data}, {b.Local, mesh.Local}} {
		if flag.set {
			f |= flag.flag
		}
	}
	return f
}
