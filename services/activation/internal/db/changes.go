package db

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// ATX is an activation to store, at Seq in the feed.
type ATX struct {
	Seq     int64
	Row     *atx.Row
	Version uint8
	Blob    []byte // nil for one of a checkpoint
	Posts   []atx.Post
}

// Malicious is an identity with a proof to store.
type Malicious struct {
	Node     wire.NodeID
	Received int64
	Proof    []byte
}

// Suspect is an identity that the second generation found. Set is 0 where
// only the cache of active ATXs minds.
type Suspect struct {
	Nodes    []wire.NodeID
	Set      atx.MarriageID
	ATX      wire.ATXID
	Received int64
}

// Changes is what a batch stores.
type Changes struct {
	ATXs      []ATX
	Malicious []Malicious
	Marriage  *atx.MarriageChange
	Suspects  []Suspect
}

// Empty tells whether nothing is to be stored.
func (c *Changes) Empty() bool {
	return len(c.ATXs) == 0 && len(c.Malicious) == 0 && c.Marriage == nil && len(c.Suspects) == 0
}

// LockTx takes the lock of the feeds until the transaction ends and returns
// their heads.
func LockTx(ctx context.Context, tx pgx.Tx) (Heads, error) {
	var h Heads
	b := new(pgx.Batch)
	b.Queue(text("lock_feeds"))
	b.Queue(text("heads")).QueryRow(func(row pgx.Row) error { return row.Scan(&h.ATXs, &h.Malicious) })
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return h, fmt.Errorf("lock feeds: %w", err)
	}
	return h, nil
}

// WriteTx stores the changes and returns which of the malicious identities are
// new. The caller holds the lock of the feeds and has looked that the ATXs are not
// stored.
func WriteTx(ctx context.Context, tx pgx.Tx, c *Changes) (fresh []wire.NodeID, err error) {
	b := new(pgx.Batch)
	queueATXs(b, c.ATXs)
	queuePosts(b, c.ATXs)
	if c.Marriage != nil {
		queueMarriage(b, c.Marriage)
	}
	for i := range c.Suspects {
		s := &c.Suspects[i]
		var set *int64
		if s.Set != 0 {
			id := int64(s.Set)
			set = &id
		}
		b.Queue(text("insert_malicious_married"), keys(s.Nodes), set, s.ATX[:], s.Received)
	}
	if len(c.Malicious) > 0 {
		queueMalicious(b, c.Malicious, &fresh)
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return nil, fmt.Errorf("store batch: %w", err)
	}
	return fresh, nil
}

func queueATXs(b *pgx.Batch, rows []ATX) {
	if len(rows) == 0 {
		return
	}
	b.Queue(text("insert_atxs"),
		store.Column(rows, func(a *ATX) int64 { return a.Seq }),
		store.Column(rows, func(a *ATX) []byte { return a.Row.ID[:] }),
		store.Column(rows, func(a *ATX) int64 { return int64(a.Row.PublishEpoch) }),
		store.Column(rows, func(a *ATX) []byte { return a.Row.NodeID[:] }),
		store.Column(rows, func(a *ATX) []byte { return a.Row.Coinbase[:] }),
		store.Column(rows, func(a *ATX) int64 { return int64(a.Row.Weight) }),
		store.Column(rows, func(a *ATX) int64 { return int64(a.Row.BaseHeight) }),
		store.Column(rows, func(a *ATX) int64 { return int64(a.Row.Ticks) }),
		store.Column(rows, func(a *ATX) int64 { return int64(a.Row.Sequence) }),
		store.Column(rows, func(a *ATX) int64 { return int64(a.Row.VRFNonce) }),
		store.Column(rows, func(a *ATX) int64 { return int64(a.Row.EffectiveUnits) }),
		store.Column(rows, func(a *ATX) []byte { return optional(a.Row.Commitment) }),
		store.Column(rows, func(a *ATX) []byte { return optional(a.Row.MarriageATX) }),
		store.Column(rows, func(a *ATX) int64 { return a.Row.Received }),
		store.Column(rows, func(a *ATX) int16 { return int16(a.Row.Validity) }),
		store.Column(rows, func(a *ATX) int16 { return int16(a.Version) }),
		store.Column(rows, func(a *ATX) []byte { return a.Blob }),
	)
}

type postRow struct {
	of    *ATX
	post  *atx.Post
	place int
}

func queuePosts(b *pgx.Batch, atxs []ATX) {
	rows := make([]postRow, 0, len(atxs))
	for i := range atxs {
		for place := range atxs[i].Posts {
			rows = append(rows, postRow{&atxs[i], &atxs[i].Posts[place], place})
		}
	}
	if len(rows) == 0 {
		return
	}
	b.Queue(text("insert_posts"),
		store.Column(rows, func(p *postRow) []byte { return p.of.Row.ID[:] }),
		store.Column(rows, func(p *postRow) []byte { return p.post.NodeID[:] }),
		store.Column(rows, func(p *postRow) []byte { return orNull(&p.post.Previous) }),
		store.Column(rows, func(p *postRow) int64 { return int64(p.post.PrevIndex) }),
		store.Column(rows, func(p *postRow) int64 { return int64(p.post.Units) }),
		store.Column(rows, func(p *postRow) int64 { return int64(p.of.Row.PublishEpoch) }),
		store.Column(rows, func(p *postRow) int64 { return p.of.Seq }),
		store.Column(rows, func(p *postRow) int16 { return int16(p.place) }),
	)
}

func queueMarriage(b *pgx.Batch, m *atx.MarriageChange) {
	if len(m.Insert) > 0 {
		b.Queue(text("insert_marriages"),
			store.Column(m.Insert, func(r *atx.Marriage) []byte { return r.NodeID[:] }),
			store.Column(m.Insert, func(r *atx.Marriage) int64 { return int64(r.ID) }),
			store.Column(m.Insert, func(r *atx.Marriage) []byte { return r.ATX[:] }),
			store.Column(m.Insert, func(r *atx.Marriage) int16 { return int16(r.Index) }),
			store.Column(m.Insert, func(r *atx.Marriage) []byte { return r.Target[:] }),
			store.Column(m.Insert, func(r *atx.Marriage) []byte { return r.Signature[:] }),
		)
	}
	if len(m.Join) > 0 {
		b.Queue(text("join_marriages"), int64(m.ID),
			store.Column(m.Join, func(id *atx.MarriageID) int64 { return int64(*id) }))
	}
}

func queueMalicious(b *pgx.Batch, rows []Malicious, fresh *[]wire.NodeID) {
	b.Queue(text("insert_malicious"),
		store.Column(rows, func(m *Malicious) []byte { return m.Node[:] }),
		store.Column(rows, func(m *Malicious) int64 { return m.Received }),
		store.Column(rows, func(m *Malicious) []byte { return m.Proof }),
	).Query(func(rows pgx.Rows) error {
		var node raw
		_, err := pgx.ForEachRow(rows, []any{&node}, func() error {
			*fresh = append(*fresh, wire.NodeID(node))
			return nil
		})
		return err
	})
}

// PoetProof is a verified PoET proof to store.
type PoetProof struct {
	Ref                       wire.PoetProofRef
	Leaves                    uint64
	Statement                 wire.Hash32
	ServiceID, RoundID, Bytes []byte
}

// StorePoets stores proofs; of one that is there the first copy stays.
func StorePoets(ctx context.Context, db store.Execer, rows []PoetProof) error {
	if len(rows) == 0 {
		return nil
	}
	_, err := db.Exec(ctx, text("insert_poets"),
		store.Column(rows, func(p *PoetProof) []byte { return p.Ref[:] }),
		store.Column(rows, func(p *PoetProof) int64 { return int64(p.Leaves) }),
		store.Column(rows, func(p *PoetProof) []byte { return p.Statement[:] }),
		store.Column(rows, func(p *PoetProof) []byte { return nonNil(p.ServiceID) }),
		store.Column(rows, func(p *PoetProof) []byte { return nonNil(p.RoundID) }),
		store.Column(rows, func(p *PoetProof) []byte { return p.Bytes }),
	)
	if err != nil {
		return fmt.Errorf("store poet proofs: %w", err)
	}
	return nil
}

func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// MarkValidity stores opinions about ATXs that came of verifying all their
// labels.
func MarkValidity(ctx context.Context, db store.Execer, marks []atx.Mark) error {
	if len(marks) == 0 {
		return nil
	}
	_, err := db.Exec(ctx, text("mark_validity"),
		store.Column(marks, func(m *atx.Mark) []byte { return m.ID[:] }),
		store.Column(marks, func(m *atx.Mark) int16 { return int16(m.Validity) }))
	if err != nil {
		return fmt.Errorf("mark validity: %w", err)
	}
	return nil
}
