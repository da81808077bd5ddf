package replay

import (
	"bytes"
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/source"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// compareRest compares what is left when all layers are processed.
func (r *run) compareRest(ctx context.Context) error {
	for _, step := range []func() error{
		func() error { return r.compared.upTo(ctx, r.settled) },
		func() error { return r.compareBeacons(ctx) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	if !r.whole {
		return nil
	}
	for _, step := range []func() error{
		func() error { return r.comparePending(ctx) },
		func() error { return r.compareMalicious(ctx) },
		func() error { return r.compareMarriages(ctx) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// compareBeacons compares those of epochs that have ballots: a node knows later
// ones from the beacon protocol, which a replay does not take part in.
func (r *run) compareBeacons(ctx context.Context) error {
	here, err := index(ctx, r, "beacons", compareBeaconsSQL, func(rows pgx.CollectableRow) (epoch int64, b wire.Beacon, err error) {
		var raw []byte
		err = rows.Scan(&epoch, &raw)
		copy(b[:], raw)
		return epoch, b, err
	})
	if err != nil {
		return err
	}
	for s, err := range r.src.Beacons(ctx) {
		if err != nil {
			return err
		}
		if s.Epoch > r.params.Epoch(r.last) || s.Epoch < r.params.Epoch(r.from) {
			continue
		}
		c := r.compare(source.Beacons, fmt.Sprintf("beacon of epoch %d", s.Epoch), s.Place)
		b, ok := here[int64(s.Epoch)]
		if same(c, "known", ok, true); ok {
			same(c, "beacon", b, s.Beacon)
		}
		r.tally(source.Beacons).Compared++
	}
	return nil
}

// comparePending compares transactions that were never applied.
func (r *run) comparePending(ctx context.Context) error {
	type row struct {
		header  []byte
		applied bool
	}
	c := newCursor(r.src.Transactions(ctx))
	defer c.stop()
	for {
		batch, err := c.take(batchSize, func(t *source.Transaction) bool { return t.Layer == nil })
		if err != nil || len(batch) == 0 {
			return err
		}
		keys := store.Column(batch, func(t *source.Transaction) []byte { return t.ID[:] })
		here, err := byID[wire.TransactionID](ctx, r, "transactions", comparePendingSQL,
			func(v *row) []any { return []any{&v.header, &v.applied} }, keys)
		if err != nil {
			return err
		}
		for i := range batch {
			t := &batch[i]
			c := r.compare(source.Transactions, "transaction "+t.ID.String(), t.Place)
			v, ok := here[t.ID]
			if same(c, "stored", ok, true); ok {
				same(c, "applied", v.applied, false)
				if !bytes.Equal(v.header, t.Header) {
					c.differ("header", v.header, t.Header)
				}
			}
			r.tally(source.Transactions).Compared++
		}
	}
}

func (r *run) compareMalicious(ctx context.Context) error {
	here, err := byID[wire.NodeID](ctx, r, "malicious identities", compareMaliciousSQL,
		func(*struct{}) []any { return nil })
	if err != nil {
		return err
	}
	for s, err := range r.src.Identities(ctx) {
		if err != nil {
			return err
		}
		_, ok := here[s.NodeID]
		delete(here, s.NodeID)
		same(r.compare(source.Identities, "identity "+s.NodeID.String(), s.Place), "malicious", ok, true)
		r.tally(source.Identities).Compared++
	}
	for node := range here {
		r.compare(source.Identities, "identity "+node.String(), source.Place{File: string(source.Identities)}).differ("malicious", true, false)
	}
	return nil
}

func (r *run) compareMarriages(ctx context.Context) error {
	here, err := byID[wire.NodeID](ctx, r, "marriages", compareMarriagesSQL, func(atx *[]byte) []any { return []any{atx} })
	if err != nil {
		return err
	}
	for s, err := range r.src.Marriages(ctx) {
		if err != nil {
			return err
		}
		c := r.compare(source.Marriages, "marriage of "+s.NodeID.String(), s.Place)
		atx, ok := here[s.NodeID]
		delete(here, s.NodeID)
		if same(c, "stored", ok, true); ok {
			same(c, "marriage_atx", *optional[wire.ATXID](atx), s.ATX)
		}
		r.tally(source.Marriages).Compared++
	}
	for node := range here {
		r.surplus(source.Marriages, "marriage of "+node.String())
	}
	return nil
}
