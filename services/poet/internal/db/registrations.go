package db

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/store"
)

//go:embed sql/register.sql
var registerSQL string

// Register stores registrations of an open round durably, and returns for each
// whether the round holds exactly it now: an identity that registered another
// challenge before keeps that. fresh counts those that were not there before. The
// error is ErrClosed for a closed round.
func Register(ctx context.Context, db *store.DB, round uint32, list []poet.Registration) (held []bool, fresh int, err error) {
	held = make([]bool, len(list))
	err = store.RetryTx(ctx, db, func(tx pgx.Tx) error {
		var open int
		err := tx.QueryRow(ctx, registerSQL, int64(round),
			store.Column(list, func(r *poet.Registration) []byte { return r.NodeID[:] }),
			store.Column(list, func(r *poet.Registration) []byte { return r.Challenge[:] })).Scan(&open, &fresh)
		if err != nil {
			return err
		}
		if open == 0 {
			return ErrClosed
		}
		if fresh == len(list) {
			for i := range held {
				held[i] = true
			}
			return nil
		}
		return readBack(ctx, tx, round, list, held)
	})
	if err != nil {
		return nil, 0, fmt.Errorf("register for round %d: %w", round, err)
	}
	return held, fresh, nil
}

func readBack(ctx context.Context, tx pgx.Tx, round uint32, list []poet.Registration, held []bool) error {
	rows, err := tx.Query(ctx, `SELECT node_id, challenge FROM registrations WHERE round = $1 AND node_id = ANY($2)`,
		int64(round), store.Column(list, func(r *poet.Registration) []byte { return r.NodeID[:] }))
	if err != nil {
		return err
	}
	stored := make(map[[32]byte][32]byte, len(list))
	var node, challenge []byte
	_, err = pgx.ForEachRow(rows, []any{&node, &challenge}, func() error {
		stored[[32]byte(node)] = [32]byte(challenge)
		return nil
	})
	for i := range list {
		challenge, ok := stored[list[i].NodeID]
		held[i] = ok && challenge == list[i].Challenge
	}
	return err
}

// Members counts the registrations of a round.
func Members(ctx context.Context, db *store.DB, round uint32) (uint64, error) {
	var n int64
	if err := db.QueryRow(ctx, `SELECT count(*) FROM registrations WHERE round = $1`, int64(round)).Scan(&n); err != nil {
		return 0, fmt.Errorf("count registrations of round %d: %w", round, err)
	}
	return uint64(n), nil
}
