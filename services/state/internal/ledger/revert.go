package ledger

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/wire"

	"github.com/smeshery/smeshery/services/state/internal/db"
)

// Revert undoes the layers above to and returns the marker that is then the
// tip. Nothing to undo is no error.
func (l *Ledger) Revert(ctx context.Context, to wire.LayerID) (db.Layer, error) {
	return l.change(ctx, func(tip db.Layer) (db.Layer, error) {
		if to >= tip.ID {
			return tip, nil
		}
		target, found, err := db.LayerAt(ctx, l.db, to)
		if err != nil {
			return db.Layer{}, err
		}
		if !found {
			return db.Layer{}, fmt.Errorf("%w: layer %v", ErrGenesis, to)
		}
		err = l.write(ctx, tip, func(tx pgx.Tx) error {
			if err := db.RevertTx(ctx, tx, to); err != nil {
				return err
			}
			// Named after the layer that went, which happens once.
			return l.tell(ctx, tx, tip.Seq, &events.LayersReverted{To: target.ID})
		})
		if err != nil {
			return db.Layer{}, err
		}
		l.cache.forget()
		l.tip.Store(&target)
		if err := l.hooks.Changed(ctx, to); err != nil {
			// The state is reverted; the pool is read again with the next change.
			l.tip.Store(nil)
			l.log.Warn("mempool is not rebuilt yet", "err", err)
		}
		return target, nil
	})
}
