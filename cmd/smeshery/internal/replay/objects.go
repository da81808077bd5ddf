package replay

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/source"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/wire"
)

// feeds are where the replay is in each kind of row.
type feeds struct {
	atxs         *cursor[source.ATX]
	activeSets   *cursor[source.ActiveSet]
	transactions *cursor[source.Transaction]
	ballots      *cursor[source.Ballot]
	blocks       *cursor[source.Block]
	certificates *cursor[source.Certificate]
	layers       *cursor[source.Layer]
	// identities are few.
	identities []source.Identity
}

func (r *run) openFeeds(ctx context.Context) (err error) {
	r.feeds = feeds{
		atxs: newCursor(r.src.ATXs(ctx)), activeSets: newCursor(r.src.ActiveSets(ctx)),
		transactions: newCursor(r.src.Transactions(ctx)), ballots: newCursor(r.src.Ballots(ctx)),
		blocks: newCursor(r.src.Blocks(ctx)), certificates: newCursor(r.src.Certificates(ctx)),
		layers: newCursor(r.src.Layers(ctx)),
	}
	r.feeds.identities, err = collect(r.src.Identities(ctx))
	slices.SortStableFunc(r.feeds.identities, func(a, b source.Identity) int { return a.Received.Compare(b.Received) })
	return err
}

func (f *feeds) close() {
	for _, stop := range []func(){
		f.atxs.stop, f.activeSets.stop, f.transactions.stop, f.ballots.stop, f.blocks.stop, f.certificates.stop, f.layers.stop,
	} {
		stop()
	}
}

func collect[T any](rows iter.Seq2[T, error]) (out []T, err error) {
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, nil
}

// feed offers the rows of a cursor for as long as they are wanted, in batches.
func feed[T any](ctx context.Context, r *run, k source.Kind, c *cursor[T], wanted func(*T) bool, as func(*T) object, then func([]T) error) error {
	for {
		batch, err := c.take(batchSize, wanted)
		if err != nil || len(batch) == 0 {
			return err
		}
		objects := make([]object, len(batch))
		for i := range batch {
			objects[i] = as(&batch[i])
		}
		if err := r.offer(ctx, k, objects); err != nil {
			return err
		}
		if then != nil {
			if err := then(batch); err != nil {
				return err
			}
		}
	}
}

func (r *run) feedPoets(ctx context.Context) error {
	c := newCursor(r.src.PoetProofs(ctx))
	defer c.stop()
	return feed(ctx, r, source.PoetProofs, c, anyRow[source.PoetProof], func(p *source.PoetProof) object {
		return object{kind: bus.KindPoet, hash: wire.Hash32(p.Ref), body: p.Blob, name: "poet proof " + p.Ref.String(), place: p.Place}
	}, func(batch []source.PoetProof) error { return r.comparePoets(ctx, batch) })
}

// feedATXs offers those that count in epochs up to one.
func (r *run) feedATXs(ctx context.Context, target wire.EpochID) error {
	wanted := func(a *source.ATX) bool {
		if a.PublishEpoch+1 > target {
			return false
		}
		r.arrivals.expect(a.ID, a.Received)
		return true
	}
	return feed(ctx, r, source.ATXs, r.feeds.atxs, wanted, func(a *source.ATX) object {
		return object{
			kind: bus.KindATX, hash: wire.Hash32(a.ID), body: a.Blob, name: "atx " + a.ID.String(), place: a.Place,
			doubtful: a.Validity == invalid,
		}
	}, func(batch []source.ATX) error {
		for i := range batch {
			r.arrivals.forget(batch[i].ID)
		}
		return r.compareATXs(ctx, batch)
	})
}

// feedMalfeasance offers proofs that had arrived at a time.
func (r *run) feedMalfeasance(ctx context.Context, now time.Time) error {
	n := 0
	for n < len(r.feeds.identities) && !r.feeds.identities[n].Received.After(now) {
		n++
	}
	due := r.feeds.identities[:n]
	r.feeds.identities = r.feeds.identities[n:]
	var objects []object
	for _, i := range due {
		if i.Proof != nil {
			objects = append(objects, object{
				kind: bus.KindMalfeasance, hash: wire.Hash32(i.NodeID), body: i.Proof,
				name: "malfeasance proof of " + i.NodeID.String(), place: i.Place,
			})
		}
	}
	return r.offer(ctx, source.Identities, objects)
}

func (r *run) feedActiveSets(ctx context.Context, epoch wire.EpochID) error {
	return feed(ctx, r, source.ActiveSets, r.feeds.activeSets, func(s *source.ActiveSet) bool { return s.Epoch <= epoch },
		func(s *source.ActiveSet) object {
			return object{kind: bus.KindActiveSet, hash: s.ID, body: s.Blob, name: "active set " + s.ID.String(), place: s.Place}
		}, nil)
}

// feedTransactions offers those applied up to a layer.
func (r *run) feedTransactions(ctx context.Context, layer int64) error {
	return feed(ctx, r, source.Transactions, r.feeds.transactions, func(t *source.Transaction) bool { return int64(*t.Layer) <= layer },
		transaction, nil)
}

func transaction(t *source.Transaction) object {
	return object{kind: bus.KindTransaction, hash: wire.Hash32(t.ID), body: t.Raw, name: "transaction " + t.ID.String(), place: t.Place}
}

func pending(t *source.Transaction) bool { return t.Layer == nil }

// skipPending passes over transactions that were never applied.
func (r *run) skipPending() error {
	for {
		batch, err := r.feeds.transactions.take(batchSize, pending)
		if err != nil || len(batch) == 0 {
			return err
		}
	}
}

// feedPending offers transactions that were never applied. They come last: most of
// them arrived late, and are judged by the accounts as they are then. Those that
// a block lists were asked for before.
func (r *run) feedPending(ctx context.Context) error {
	c := newCursor(r.src.Transactions(ctx))
	defer c.stop()
	return feed(ctx, r, source.Transactions, c, pending, transaction, nil)
}

func (r *run) feedBallots(ctx context.Context, layer wire.LayerID) error {
	return feed(ctx, r, source.Ballots, r.feeds.ballots, func(b *source.Ballot) bool { return b.Layer <= layer },
		func(b *source.Ballot) object {
			return object{kind: bus.KindBallot, hash: wire.Pad32(b.ID), body: b.Blob, name: fmt.Sprintf("ballot %s of layer %d", b.ID, b.Layer), place: b.Place}
		}, func(batch []source.Ballot) error { return r.compareBallots(ctx, batch) })
}

func (r *run) feedBlocks(ctx context.Context, layer wire.LayerID) error {
	return feed(ctx, r, source.Blocks, r.feeds.blocks, func(b *source.Block) bool { return b.Layer <= layer },
		func(b *source.Block) object {
			return object{kind: bus.KindBlock, hash: wire.Pad32(b.ID), body: b.Blob, name: fmt.Sprintf("block %s of layer %d", b.ID, b.Layer), place: b.Place}
		}, nil)
}

func anyRow[T any](*T) bool { return true }
