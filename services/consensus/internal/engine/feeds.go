package engine

import (
	"context"
	"fmt"

	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/wire"
)

// positions are how far the feeds were read.
type positions struct{ atxs, malicious, blocks int64 }

// feedBatch is how many rows are read at a time.
const feedBatch = 5000

// Follow reads the feeds of the other services to their ends. A repeat is
// harmless: positions only grow, and the index knows its entries.
func (e *Engine) Follow(ctx context.Context) error {
	e.feeding.Lock()
	defer e.feeding.Unlock()
	if err := e.followMalicious(ctx); err != nil {
		return err
	}
	if err := e.followATXs(ctx); err != nil {
		return err
	}
	return e.followBlocks(ctx)
}

func (e *Engine) followATXs(ctx context.Context) error {
	for {
		rows, err := activation.ATXsAfter(ctx, e.deps.DB, e.positions.atxs, feedBatch)
		if err != nil {
			return err
		}
		e.mu.Lock()
		for i := range rows {
			e.onATX(&rows[i])
		}
		e.mu.Unlock()
		if err := e.reportATXs(ctx, rows); err != nil {
			return err
		}
		if len(rows) < feedBatch {
			return nil
		}
	}
}

// onATX enters an activation. The lock is held.
func (e *Engine) onATX(a *activation.ATX) {
	e.positions.atxs = a.Seq
	entry := cacheEntry(a)
	if !e.index.Add(a.TargetEpoch(), entry) {
		return
	}
	if err := e.tortoise.OnATX(a.TargetEpoch(), countedATX(&entry)); err != nil {
		e.deps.Log.Warn("an activation's weight does not count", "atx", a.ID, "err", err)
	}
}

func (e *Engine) followMalicious(ctx context.Context) error {
	for {
		rows, err := activation.MaliciousAfter(ctx, e.deps.DB, e.positions.malicious, feedBatch)
		if err != nil {
			return err
		}
		e.mu.Lock()
		for _, m := range rows {
			e.positions.malicious = m.Seq
			e.index.SetMalicious(m.Node)
			e.tortoise.OnMalfeasance(m.Node)
		}
		e.mu.Unlock()
		if len(rows) < feedBatch {
			return nil
		}
	}
}

func (e *Engine) followBlocks(ctx context.Context) error {
	for {
		rows, err := state.BlocksAfter(ctx, e.deps.DB, e.positions.blocks, feedBatch)
		if err != nil {
			return err
		}
		e.mu.Lock()
		for i := range rows {
			e.positions.blocks = rows[i].Seq
			e.mesh.Seen(rows[i].Layer)
			e.tortoise.OnBlock(rows[i].Vote())
		}
		e.mu.Unlock()
		if len(rows) < feedBatch {
			return nil
		}
	}
}

// skipTo reads the index up to the end of the feeds without telling the
// tortoise, which restore does. The lock is held.
func (e *Engine) skipTo(ctx context.Context) (malicious []wire.NodeID, err error) {
	// Blocks first: one that comes later is told twice, which is harmless.
	if e.positions.blocks, err = state.LastBlockSeq(ctx, e.deps.DB); err != nil {
		return nil, fmt.Errorf("position in the feed of blocks: %w", err)
	}
	for {
		rows, err := activation.MaliciousAfter(ctx, e.deps.DB, e.positions.malicious, feedBatch)
		if err != nil {
			return nil, err
		}
		for _, m := range rows {
			e.positions.malicious = m.Seq
			e.index.SetMalicious(m.Node)
			malicious = append(malicious, m.Node)
		}
		if len(rows) < feedBatch {
			break
		}
	}
	for {
		rows, err := activation.ATXsAfter(ctx, e.deps.DB, e.positions.atxs, feedBatch)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			e.positions.atxs = rows[i].Seq
			e.index.Add(rows[i].TargetEpoch(), cacheEntry(&rows[i]))
		}
		if len(rows) < feedBatch {
			return malicious, nil
		}
	}
}
