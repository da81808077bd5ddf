package db

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Batcher sends many statements in one round trip: a *store.DB, a connection or
// a transaction.
type Batcher interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// Loader gathers questions. Its answers come during Run, and those to an empty
// list of keys do not come. A Loader is used once.
type Loader struct {
	batch pgx.Batch
	heads *Heads
}

// NewLoader returns a loader that reads the heads before everything else: rows
// that it misses are above them.
func NewLoader() *Loader {
	l := &Loader{heads: new(Heads)}
	// Plans are made for the tables as they are: one that was cached when they
	// were empty would read them from end to end for ever.
	l.batch.Queue(text("plan")).Query(ignore)
	l.batch.Queue(text("heads")).QueryRow(func(row pgx.Row) error {
		return row.Scan(&l.heads.ATXs, &l.heads.Malicious)
	})
	return l
}

func ignore(rows pgx.Rows) error { rows.Close(); return rows.Err() }

// Run asks everything and returns the heads as they were before the answers.
func (l *Loader) Run(ctx context.Context, db Batcher) (Heads, error) {
	if err := db.SendBatch(ctx, &l.batch).Close(); err != nil {
		return Heads{}, fmt.Errorf("load rows: %w", err)
	}
	return *l.heads, nil
}

func (l *Loader) ask(name string, into []any, each func(), args ...any) {
	l.batch.Queue(text(name), args...).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, into, func() error { each(); return nil })
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
}

// raw is a column of bytes that is only valid until the next row.
type raw = pgtype.DriverBytes

// ATXs reads rows.
func (l *Loader) ATXs(ids []wire.ATXID, each func(*atx.Row)) {
	if len(ids) == 0 {
		return
	}
	var id, node, coinbase, commitment, marriage raw
	var publish, weight, base, ticks, sequence, nonce, units, received int64
	var validity int16
	l.ask("load_atxs", []any{&id, &publish, &node, &coinbase, &weight, &base, &ticks, &sequence, &nonce, &units,
		&commitment, &marriage, &received, &validity}, func() {
		each(&atx.Row{
			ID: wire.ATXID(id), PublishEpoch: wire.EpochID(publish), NodeID: wire.NodeID(node),
			EffectiveUnits: uint32(units), Commitment: optionalID(commitment), VRFNonce: uint64(nonce),
			Coinbase: wire.Address(coinbase), BaseHeight: uint64(base), Ticks: uint64(ticks),
			Weight: uint64(weight), Sequence: uint64(sequence), MarriageATX: optionalID(marriage),
			Received: received, Validity: atx.Validity(validity),
		})
	}, keys(ids))
}

func optionalID(b raw) *wire.ATXID {
	if b == nil {
		return nil
	}
	id := wire.ATXID(b)
	return &id
}

// Blobs reads ATXs as they arrived; none for those of a checkpoint.
func (l *Loader) Blobs(ids []wire.ATXID, each func(wire.ATXID, []byte)) {
	if len(ids) == 0 {
		return
	}
	var id raw
	var blob []byte
	l.ask("load_blobs", []any{&id, &blob}, func() {
		each(wire.ATXID(id), append([]byte(nil), blob...))
	}, keys(ids))
}

// Units reads what the identities in ATXs declared.
func (l *Loader) Units(ids []wire.ATXID, each func(NodeATX, uint32)) {
	if len(ids) == 0 {
		return
	}
	var id, node raw
	var units int64
	l.ask("load_units", []any{&id, &node, &units}, func() {
		each(NodeATX{wire.NodeID(node), wire.ATXID(id)}, uint32(units))
	}, keys(ids))
}

// Posts reads the shares of ATXs, each ATX's in its order.
func (l *Loader) Posts(ids []wire.ATXID, each func(wire.ATXID, atx.Post)) {
	if len(ids) == 0 {
		return
	}
	var id, node, previous raw
	var index, units int64
	l.ask("load_posts", []any{&id, &node, &previous, &index, &units}, func() {
		p := atx.Post{NodeID: wire.NodeID(node), PrevIndex: uint32(index), Units: uint32(units)}
		if previous != nil {
			p.Previous = wire.ATXID(previous)
		}
		each(wire.ATXID(id), p)
	}, keys(ids))
}

// Commitments reads the commitment of each identity's newest ATX with one, and
// that ATX's publish epoch.
func (l *Loader) Commitments(nodes []wire.NodeID, each func(wire.NodeID, wire.EpochID, wire.ATXID)) {
	if len(nodes) == 0 {
		return
	}
	var node, commitment raw
	var publish int64
	l.ask("load_commitments", []any{&node, &publish, &commitment}, func() {
		each(wire.NodeID(node), wire.EpochID(publish), wire.ATXID(commitment))
	}, keys(nodes))
}

// Signed finds the first ATX that an identity signed for an epoch.
func (l *Loader) Signed(q []NodeEpoch, each func(NodeEpoch, wire.ATXID)) {
	l.byNodeEpoch("load_signed", q, each)
}

// Posted finds the first ATX with a post of an identity in an epoch.
func (l *Loader) Posted(q []NodeEpoch, each func(NodeEpoch, wire.ATXID)) {
	l.byNodeEpoch("load_posted", q, each)
}

func (l *Loader) byNodeEpoch(name string, q []NodeEpoch, each func(NodeEpoch, wire.ATXID)) {
	if len(q) == 0 {
		return
	}
	var node, id raw
	var epoch int64
	nodes, epochs := splitNodeEpochs(q)
	l.ask(name, []any{&node, &epoch, &id}, func() {
		each(NodeEpoch{wire.NodeID(node), wire.EpochID(epoch)}, wire.ATXID(id))
	}, nodes, epochs)
}

func splitNodeEpochs(q []NodeEpoch) (nodes [][]byte, epochs []int64) {
	nodes, epochs = make([][]byte, len(q)), make([]int64, len(q))
	for i := range q {
		nodes[i], epochs[i] = q[i].Node[:], int64(q[i].Epoch)
	}
	return nodes, epochs
}

// Last finds the newest ATX with a post of an identity before an epoch, and its
// publish epoch.
func (l *Loader) Last(q []NodeEpoch, each func(NodeEpoch, wire.EpochID, wire.ATXID)) {
	if len(q) == 0 {
		return
	}
	var node, id raw
	var epoch, publish int64
	nodes, epochs := splitNodeEpochs(q)
	l.ask("load_last", []any{&node, &epoch, &publish, &id}, func() {
		each(NodeEpoch{wire.NodeID(node), wire.EpochID(epoch)}, wire.EpochID(publish), wire.ATXID(id))
	}, nodes, epochs)
}
