package smeshing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// challenge is a row of challenges.
type challenge struct {
	Publish     wire.EpochID
	Sequence    uint64
	Previous    *wire.ATXID
	Positioning wire.ATXID
	// Of an initial ATX.
	Commitment *wire.ATXID
	Initial    *wire.PostV1
	// Once a PoET's proof is chosen.
	Ref        *wire.PoetProofRef
	Membership wire.MerkleProofV1
}

// initialPost is a row of initial_posts.
type initialPost struct {
	Post       wire.PostV1
	Challenge  wire.Hash32
	Units      uint32
	Commitment wire.ATXID
	VRFNonce   uint64
}

// registration is a row of registrations.
type registration struct {
	Poet, Round string
	Challenge   wire.Hash32
	End         time.Time
}

// nipost is a row of niposts.
type nipost struct {
	Post          wire.PostV1
	LabelsPerUnit uint64
	Units         uint32
	VRFNonce      uint64
	Coinbase      wire.Address
}

// rows are all of an identity's.
type rows struct {
	initial       *initialPost
	challenge     *challenge
	registrations []registration
	nipost        *nipost
}

func (l *life) load(ctx context.Context) (*rows, error) {
	r := new(rows)
	b := new(pgx.Batch)
	b.Queue(`SELECT nonce, indices, pow, challenge, units, commitment, vrf_nonce FROM initial_posts WHERE node_id = $1`,
		l.id[:]).QueryRow(optionalRow(&r.initial, scanInitial))
	b.Queue(`SELECT publish_epoch, sequence, previous, positioning, commitment, nonce, indices, pow, poet_ref, member_nodes, member_index
		FROM challenges WHERE node_id = $1`, l.id[:]).QueryRow(optionalRow(&r.challenge, scanChallenge))
	b.Queue(`SELECT poet, round, challenge, round_end FROM registrations WHERE node_id = $1 ORDER BY poet`,
		l.id[:]).Query(func(rows pgx.Rows) error {
		var err error
		r.registrations, err = pgx.CollectRows(rows, scanRegistration)
		return err
	})
	b.Queue(`SELECT nonce, indices, pow, labels_per_unit, units, vrf_nonce, coinbase FROM niposts WHERE node_id = $1`,
		l.id[:]).QueryRow(optionalRow(&r.nipost, scanNipost))
	if err := l.deps.DB.SendBatch(ctx, b).Close(); err != nil {
		return nil, fmt.Errorf("load steps of identity: %w", err)
	}
	return r, nil
}

// optionalRow leaves nil where there is no row.
func optionalRow[T any](into **T, scan func(pgx.Row, *T) error) func(pgx.Row) error {
	return func(row pgx.Row) error {
		v := new(T)
		err := scan(row, v)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		*into = v
		return err
	}
}

func scanInitial(row pgx.Row, p *initialPost) error {
	var nonce, pow, units, vrf int64
	var challenge, commitment []byte
	if err := row.Scan(&nonce, &p.Post.Indices, &pow, &challenge, &units, &commitment, &vrf); err != nil {
		return err
	}
	p.Post.Nonce, p.Post.Pow, p.Units, p.VRFNonce = uint32(nonce), uint64(pow), uint32(units), uint64(vrf)
	p.Challenge, p.Commitment = wire.Hash32(challenge), wire.ATXID(commitment)
	return nil
}

func scanChallenge(row pgx.Row, c *challenge) error {
	var publish, sequence int64
	var previous, positioning, commitment, indices, ref, nodes []byte
	var nonce, pow, index *int64
	err := row.Scan(&publish, &sequence, &previous, &positioning, &commitment, &nonce, &indices, &pow, &ref, &nodes, &index)
	if err != nil {
		return err
	}
	c.Publish, c.Sequence, c.Positioning = wire.EpochID(publish), uint64(sequence), wire.ATXID(positioning)
	c.Previous, c.Commitment = id32[wire.ATXID](previous), id32[wire.ATXID](commitment)
	if nonce != nil && pow != nil {
		c.Initial = &wire.PostV1{Nonce: uint32(*nonce), Indices: indices, Pow: uint64(*pow)}
	}
	if c.Ref = id32[wire.PoetProofRef](ref); c.Ref != nil {
		c.Membership.LeafIndex = uint64(*index)
		for ; len(nodes) >= 32; nodes = nodes[32:] {
			c.Membership.Nodes = append(c.Membership.Nodes, wire.Hash32(nodes[:32]))
		}
	}
	return nil
}

func id32[T ~[32]byte](b []byte) *T {
	if b == nil {
		return nil
	}
	id := T([32]byte(b))
	return &id
}

func scanRegistration(row pgx.CollectableRow) (r registration, err error) {
	var challenge []byte
	var end int64
	if err = row.Scan(&r.Poet, &r.Round, &challenge, &end); err == nil {
		r.Challenge, r.End = wire.Hash32(challenge), time.Unix(0, end)
	}
	return r, err
}

func scanNipost(row pgx.Row, n *nipost) error {
	var nonce, pow, labels, units, vrf int64
	var coinbase []byte
	if err := row.Scan(&nonce, &n.Post.Indices, &pow, &labels, &units, &vrf, &coinbase); err != nil {
		return err
	}
	n.Post.Nonce, n.Post.Pow, n.LabelsPerUnit = uint32(nonce), uint64(pow), uint64(labels)
	n.Units, n.VRFNonce, n.Coinbase = uint32(units), uint64(vrf), wire.Address(coinbase)
	return nil
}

// tx does a step: what f writes, if the lease still has our term. The lease's row
// stays locked until the commit, so that a new owner reads what was written.
func (l *life) tx(ctx context.Context, place string, f func(pgx.Tx) error) error {
	if err := l.step("before " + place); err != nil {
		return err
	}
	err := store.RetryTx(ctx, l.deps.DB, func(tx pgx.Tx) error {
		var held bool
		err := tx.QueryRow(ctx, `SELECT true FROM lease WHERE name = $1 AND term = $2 FOR SHARE`, l.lease, int64(l.term)).Scan(&held)
		if errors.Is(err, pgx.ErrNoRows) {
			return errLost
		}
		if err != nil {
			return err
		}
		return f(tx)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", place, err)
	}
	l.deps.Wake()
	return l.step("after " + place)
}

// reset forgets the present challenge and what was done for it.
func (l *life) reset(ctx context.Context) error {
	return l.tx(ctx, "reset", func(tx pgx.Tx) error { return l.clear(ctx, tx) })
}

// forgetAll forgets the first proof of space, too.
func (l *life) forgetAll(ctx context.Context) error {
	return l.tx(ctx, "forget", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM initial_posts WHERE node_id = $1`, l.id[:]); err != nil {
			return err
		}
		return l.clear(ctx, tx)
	})
}

func (l *life) clear(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `WITH r AS (DELETE FROM registrations WHERE node_id = $1), n AS (DELETE FROM niposts WHERE node_id = $1)
		DELETE FROM challenges WHERE node_id = $1`, l.id[:])
	return err
}
