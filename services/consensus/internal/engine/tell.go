package engine

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/outbox"
)

// Write runs f in a transaction that fails if this process has lost its tenure.
// f must be repeatable.
func (e *Engine) Write(ctx context.Context, f func(tx pgx.Tx) error) error { return e.write(ctx, f) }

func (e *Engine) write(ctx context.Context, f func(tx pgx.Tx) error) error {
	err := store.RetryTx(ctx, e.deps.DB, func(tx pgx.Tx) error {
		if e.deps.Fence != nil {
			if err := e.deps.Fence(ctx, tx); err != nil {
				return err
			}
		}
		return f(tx)
	})
	if e.told.Swap(false) {
		e.deps.Wake()
	}
	return err
}

// tell puts events into the outbox, where there is one; write wakes the relay after
// the commit.
func (e *Engine) tell(ctx context.Context, tx pgx.Tx, bodies ...events.Body) error {
	if e.deps.Wake == nil {
		return nil
	}
	out := make([]bus.Outgoing, 0, len(bodies))
	for _, body := range bodies {
		o, err := events.New(bus.ConsensusService, e.deps.Now(), "", body)
		if err != nil {
			return err
		}
		out = append(out, o)
	}
	e.told.Store(true)
	return outbox.AddTx(ctx, tx, out...)
}

// announce tells of something that stands in no row of its own. It may be lost.
func (e *Engine) announce(ctx context.Context, body events.Body) {
	if e.deps.Wake == nil {
		return
	}
	if err := e.Announce(ctx, body); err != nil {
		e.deps.Log.Warn("an event is lost", "kind", body.Kind(), "err", err)
	}
}

// Announce tells users of something in a transaction of its own.
func (e *Engine) Announce(ctx context.Context, bodies ...events.Body) error {
	return e.write(ctx, func(tx pgx.Tx) error { return e.tell(ctx, tx, bodies...) })
}
