package db

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Ballot is a row of ballots.
type Ballot struct {
	ID        wire.BallotID
	Hash      wire.Hash32
	Layer     wire.LayerID
	Atx       wire.ATXID
	Node      wire.NodeID
	Signature wire.EdSignature
	// Slots is nil in ballots that refer to a first one.
	Slots *int64
	Blob  []byte
}

// InsertBallots stores ballots; known ones stay.
func InsertBallots(ctx context.Context, q store.Execer, rows []Ballot) error {
	return exec(ctx, q, "store ballots", insertBallotsSQL,
		store.Column(rows, func(r *Ballot) []byte { return r.ID[:] }),
		store.Column(rows, func(r *Ballot) []byte { return r.Hash[:] }),
		store.Column(rows, func(r *Ballot) int64 { return int64(r.Layer) }),
		store.Column(rows, func(r *Ballot) []byte { return r.Atx[:] }),
		store.Column(rows, func(r *Ballot) []byte { return r.Node[:] }),
		store.Column(rows, func(r *Ballot) []byte { return r.Signature[:] }),
		store.Column(rows, func(r *Ballot) *int64 { return r.Slots }),
		store.Column(rows, func(r *Ballot) []byte { return r.Blob }))
}

// BallotsOfSlots reads what the given ballots may collide with: stored ones of
// the same layer and identity. Blobs are left out.
func BallotsOfSlots(ctx context.Context, q store.Querier, rows []Ballot) ([]Ballot, error) {
	return signedBallots(ctx, q, ballotsOfSlotsSQL,
		store.Column(rows, func(r *Ballot) int64 { return int64(r.Layer) }),
		store.Column(rows, func(r *Ballot) []byte { return r.Node[:] }))
}

// Equivocations reads ballots of identities that have several in a layer, from a
// layer on, ordered by layer and identity.
func Equivocations(ctx context.Context, q store.Querier, from wire.LayerID) ([]Ballot, error) {
	return signedBallots(ctx, q, equivocationsSQL, int64(from))
}

func signedBallots(ctx context.Context, q store.Querier, sql string, args ...any) ([]Ballot, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read ballots: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (b Ballot, err error) {
		var id, hash, node, sig []byte
		var layer int64
		if err = row.Scan(&id, &hash, &layer, &node, &sig); err != nil {
			return b, err
		}
		return Ballot{
			ID: wire.BallotID(id), Hash: wire.Hash32(hash), Layer: wire.LayerID(layer),
			Node: wire.NodeID(node), Signature: wire.EdSignature(sig),
		}, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read ballots: %w", err)
	}
	return out, nil
}

// BallotsIn reads the ballots of a layer, ascending by id.
func BallotsIn(ctx context.Context, q store.Querier, layer wire.LayerID) ([]*wire.Ballot, error) {
	return ballots(ctx, q, ballotsInLayerSQL, int64(layer))
}

// FirstBallots reads every identity's lowest-layer ballot of a range of layers.
func FirstBallots(ctx context.Context, q store.Querier, from, to wire.LayerID) ([]*wire.Ballot, error) {
	return ballots(ctx, q, firstBallotsSQL, int64(from), int64(to))
}

// ReferenceBallot reads an ATX's earliest ballot with epoch data in a range of
// layers; nil if there is none.
func ReferenceBallot(ctx context.Context, q store.Querier, atx wire.ATXID, from, to wire.LayerID) (*wire.Ballot, error) {
	found, err := ballots(ctx, q, referenceBallotSQL, atx[:], int64(from), int64(to))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

func ballots(ctx context.Context, q store.Querier, sql string, args ...any) ([]*wire.Ballot, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read ballots: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (*wire.Ballot, error) {
		var blob []byte
		if err := row.Scan(&blob); err != nil {
			return nil, err
		}
		b := new(wire.Ballot)
		return b, codec.Decode(blob, b)
	})
	if err != nil {
		return nil, fmt.Errorf("read ballots: %w", err)
	}
	return out, nil
}

// LastBallotLayer is the highest layer with a ballot, or 0.
func LastBallotLayer(ctx context.Context, q store.Querier) (wire.LayerID, error) {
	n, err := one[int64](ctx, q, maxBallotLayerSQL)
	return wire.LayerID(n), err
}

// ActiveSet is a row of activesets.
type ActiveSet struct {
	ID    wire.Hash32
	Epoch wire.EpochID
	Blob  []byte
}

// InsertActiveSets stores active sets; known ones stay.
func InsertActiveSets(ctx context.Context, q store.Execer, rows []ActiveSet) error {
	_, err := q.Exec(ctx, insertActiveSetsSQL,
		store.Column(rows, func(r *ActiveSet) []byte { return r.ID[:] }),
		store.Column(rows, func(r *ActiveSet) int64 { return int64(r.Epoch) }),
		store.Column(rows, func(r *ActiveSet) []byte { return r.Blob }))
	if err != nil {
		return fmt.Errorf("store active sets: %w", err)
	}
	return nil
}

// ReadActiveSet reads a set by its hash; nil if it is not stored.
func ReadActiveSet(ctx context.Context, q store.Querier, hash wire.Hash32) (*wire.EpochActiveSet, error) {
	blob, err := one[[]byte](ctx, q, activeSetSQL, hash[:])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	set := new(wire.EpochActiveSet)
	if err := codec.Decode(blob, set); err != nil {
		return nil, fmt.Errorf("stored active set %s: %w", hash, err)
	}
	return set, nil
}

// FirstAppliedBlock reads the block of the lowest non-empty layer that the state
// applied in a range of layers; nil if there is none.
func FirstAppliedBlock(ctx context.Context, q store.Querier, from, to wire.LayerID) (*wire.Block, error) {
	blob, err := one[[]byte](ctx, q, firstAppliedBlockSQL, int64(from), int64(to))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	b := new(wire.Block)
	return b, codec.Decode(blob, b)
}

// one reads a single value.
func one[T any](ctx context.Context, q store.Querier, sql string, args ...any) (v T, err error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return v, fmt.Errorf("query: %w", err)
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
}
