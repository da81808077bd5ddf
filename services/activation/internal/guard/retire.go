package guard

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Retire ends signing for an identity that moves elsewhere. After it returns no
// signature is made for it, in no kind of slot.
func Retire(ctx context.Context, db store.Beginner, id wire.NodeID, reason string) error {
	err := exclusively(ctx, db, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `WITH r AS (
				INSERT INTO retired (node_id, reason) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING node_id
			) INSERT INTO audit (node_id, event, detail) SELECT node_id, 'retired', $2 FROM r`, id[:], reason)
		return err
	})
	if err != nil {
		return fmt.Errorf("retire identity: %w", err)
	}
	return nil
}

// Return ends an identity's retirement in the transaction in which add stores
// what it signed elsewhere.
func Return(ctx context.Context, db store.Beginner, id wire.NodeID, add func(pgx.Tx) error) error {
	err := exclusively(ctx, db, func(tx pgx.Tx) error {
		if err := add(tx); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `WITH r AS (DELETE FROM retired WHERE node_id = $1)
			INSERT INTO audit (node_id, event, detail) VALUES ($1, 'imported', '')`, id[:])
		return err
	})
	if err != nil {
		return fmt.Errorf("return identity: %w", err)
	}
	return nil
}

// exclusively waits for signatures under way and lets none begin.
func exclusively(ctx context.Context, db store.Beginner, f func(pgx.Tx) error) error {
	return store.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := store.DemandDurable(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, text("lock_exclusive")); err != nil {
			return err
		}
		return f(tx)
	})
}
