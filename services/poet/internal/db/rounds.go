package db

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/lease"
	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/store"
)

// Errors of rounds.
var (
	// ErrClosed says that the round takes no registrations any more.
	ErrClosed = errors.New("round is closed")
	// ErrNotWorker says that another process became the worker.
	ErrNotWorker = errors.New("the worker's lease is lost")
)

// Worker is the name of the lease of the process that closes and works on rounds.
const Worker = "worker"

// Open makes sure that a round takes registrations, unless it was closed.
func Open(ctx context.Context, db *store.DB, round uint32) error {
	_, err := db.Exec(ctx, `INSERT INTO rounds (round) VALUES ($1) ON CONFLICT DO NOTHING`, int64(round))
	if err != nil {
		return fmt.Errorf("open round %d: %w", round, err)
	}
	return nil
}

// Newest is the newest round there is; ok is false without any.
func Newest(ctx context.Context, db *store.DB) (round uint32, closed, ok bool, err error) {
	var number int64
	err = db.QueryRow(ctx, `SELECT round, closed_at IS NOT NULL FROM rounds ORDER BY round DESC LIMIT 1`).Scan(&number, &closed)
	if store.NotFound(err) {
		return 0, false, false, nil
	}
	if err != nil {
		return 0, false, false, fmt.Errorf("read newest round: %w", err)
	}
	return uint32(number), closed, true, nil
}

// Closed is a round that waits for its proof.
type Closed struct {
	Round     uint32
	Statement []byte
}

// Unproved lists closed rounds without a proof, oldest first.
func Unproved(ctx context.Context, db *store.DB) ([]Closed, error) {
	rows, err := db.Query(ctx, `SELECT r.round, r.statement FROM rounds r LEFT JOIN proofs p USING (round)
		WHERE r.closed_at IS NOT NULL AND r.skipped IS NULL AND p.round IS NULL ORDER BY r.round`)
	if err != nil {
		return nil, fmt.Errorf("read closed rounds: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c Closed, err error) {
		var round int64
		err = row.Scan(&round, &c.Statement)
		c.Round = uint32(round)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("read closed rounds: %w", err)
	}
	return out, nil
}

// fenced runs a transaction of the worker, which writes nothing once another
// process has the lease.
func fenced(ctx context.Context, db *store.DB, term lease.Term, f func(tx pgx.Tx) error) error {
	return store.RetryTx(ctx, db, func(tx pgx.Tx) error {
		held, err := tx.Exec(ctx, `SELECT 1 FROM lease WHERE name = $1 AND term = $2 FOR SHARE`, Worker, int64(term))
		if err != nil {
			return err
		}
		if held.RowsAffected() == 0 {
			return ErrNotWorker
		}
		return f(tx)
	})
}

// Close ends a round's registration and settles its statement. A repeat changes
// nothing.
func Close(ctx context.Context, db *store.DB, term lease.Term, round uint32) (members int, err error) {
	err = fenced(ctx, db, term, func(tx pgx.Tx) error {
		// The lock waits for registrations that are being written.
		if _, err := tx.Exec(ctx, `SELECT 1 FROM rounds WHERE round = $1 FOR UPDATE`, int64(round)); err != nil {
			return err
		}
		list, err := registrations(ctx, tx, round)
		if err != nil {
			return err
		}
		members = len(list)
		statement := poet.CloseRound(list).Statement
		if statement == nil {
			statement = []byte{}
		}
		_, err = tx.Exec(ctx, `UPDATE rounds SET closed_at = clock_timestamp(), statement = $2
			WHERE round = $1 AND closed_at IS NULL`, int64(round), statement)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("close round %d: %w", round, err)
	}
	return members, nil
}

// Skip gives a round up for good.
func Skip(ctx context.Context, db *store.DB, term lease.Term, round uint32, why string) error {
	err := fenced(ctx, db, term, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE rounds SET skipped = $2 WHERE round = $1`, int64(round), why)
		return err
	})
	if err != nil {
		return fmt.Errorf("skip round %d: %w", round, err)
	}
	return nil
}

// registrations are a round's, in no order.
func registrations(ctx context.Context, q store.Querier, round uint32) ([]poet.Registration, error) {
	rows, err := q.Query(ctx, `SELECT node_id, challenge FROM registrations WHERE round = $1`, int64(round))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (r poet.Registration, err error) {
		var node, challenge []byte
		if err = row.Scan(&node, &challenge); err == nil {
			r.NodeID, r.Challenge = [32]byte(node), [32]byte(challenge)
		}
		return r, err
	})
}

// Registrations are a round's, in no order.
func Registrations(ctx context.Context, db *store.DB, round uint32) ([]poet.Registration, error) {
	list, err := registrations(ctx, db, round)
	if err != nil {
		return nil, fmt.Errorf("read registrations of round %d: %w", round, err)
	}
	return list, nil
}
