package db

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/lease"
	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/store"
)

// ErrSchedule says that the database's rounds are numbered by another calendar.
var ErrSchedule = errors.New("the database belongs to a PoET with another schedule")

// Server is who this PoET is.
type Server struct {
	Key          ed25519.PrivateKey
	PowChallenge []byte
}

// Claim reads who this PoET is, and writes it down the first time. offer holds what
// is taken then; schedule is compared with the stored one.
func Claim(ctx context.Context, db *store.DB, offer Server, schedule string) (Server, error) {
	_, err := db.Exec(ctx, `INSERT INTO server (seed, pow_challenge, schedule) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		offer.Key.Seed(), offer.PowChallenge, schedule)
	if err != nil {
		return Server{}, fmt.Errorf("write who we are: %w", err)
	}
	var seed []byte
	var have string
	var s Server
	if err := db.QueryRow(ctx, `SELECT seed, pow_challenge, schedule FROM server`).Scan(&seed, &s.PowChallenge, &have); err != nil {
		return Server{}, fmt.Errorf("read who we are: %w", err)
	}
	if have != schedule {
		return Server{}, fmt.Errorf("%w: it has %s, this one is configured for %s", ErrSchedule, have, schedule)
	}
	s.Key = ed25519.NewKeyFromSeed(seed)
	return s, nil
}

// SaveProof publishes a finished round. A repeat changes nothing.
func SaveProof(ctx context.Context, db *store.DB, term lease.Term, round uint32, r *poet.ProofRecord) error {
	err := fenced(ctx, db, term, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO proofs (round, record, root, leaves) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
			int64(round), r.Encode(), r.Proof.Root, int64(r.Proof.LeafCount))
		return err
	})
	if err != nil {
		return fmt.Errorf("save proof of round %d: %w", round, err)
	}
	return nil
}

// Proof reads a finished round; ok is false if there is none.
func Proof(ctx context.Context, db *store.DB, round uint32) (r poet.ProofRecord, ok bool, err error) {
	var raw []byte
	err = db.QueryRow(ctx, `SELECT record FROM proofs WHERE round = $1`, int64(round)).Scan(&raw)
	if store.NotFound(err) {
		return r, false, nil
	}
	if err == nil {
		r, err = poet.DecodeProofRecord(raw)
	}
	if err != nil {
		return r, false, fmt.Errorf("read proof of round %d: %w", round, err)
	}
	return r, true, nil
}

// Roots are those of the newest two proofs, newest first.
func Roots(ctx context.Context, db *store.DB) ([][]byte, error) {
	rows, err := db.Query(ctx, `SELECT root FROM proofs ORDER BY round DESC LIMIT 2`)
	if err != nil {
		return nil, fmt.Errorf("read roots: %w", err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return nil, fmt.Errorf("read roots: %w", err)
	}
	return out, nil
}
