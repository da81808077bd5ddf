package replay

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/source"
	"github.com/smeshery/smeshery/pkg/wire"
)

// follower compares what is stored by layer, range after range.
type follower struct {
	r            *run
	done         wire.LayerID
	layers       *cursor[source.Layer]
	blocks       *cursor[source.Block]
	certificates *cursor[source.Certificate]
	accounts     *cursor[source.Account]
	rewards      *cursor[source.Reward]
	transactions *cursor[source.Transaction]
}

// compareStep bounds the layers that are compared at once.
const compareStep = 64

func newFollower(ctx context.Context, r *run) *follower {
	f := &follower{
		r: r, layers: newCursor(r.src.Layers(ctx)), blocks: newCursor(r.src.Blocks(ctx)),
		certificates: newCursor(r.src.Certificates(ctx)), accounts: newCursor(r.src.Accounts(ctx)),
		rewards: newCursor(r.src.Rewards(ctx)), transactions: newCursor(r.src.Transactions(ctx)),
	}
	f.done = r.genesis
	if r.from > r.genesis {
		f.done = r.from - 1
	}
	return f
}

func (f *follower) close() {
	for _, stop := range []func(){
		f.layers.stop, f.blocks.stop, f.certificates.stop, f.accounts.stop, f.rewards.stop, f.transactions.stop,
	} {
		stop()
	}
}

// upTo compares all layers up to one that were not compared yet.
func (f *follower) upTo(ctx context.Context, last wire.LayerID) error {
	for f.done < last {
		from, to := f.done+1, min(last, f.done+compareStep)
		if err := f.between(ctx, from, to); err != nil {
			return err
		}
		f.done = to
		f.r.report.LayersCompared += int(to - from + 1)
	}
	return nil
}

func (f *follower) between(ctx context.Context, from, to wire.LayerID) error {
	for _, step := range []func(context.Context, wire.LayerID, wire.LayerID) error{
		f.compareLayers, f.compareBlocks, f.compareCertificates, f.compareAccounts, f.compareRewards, f.compareResults,
	} {
		if err := step(ctx, from, to); err != nil {
			return err
		}
	}
	return nil
}

// within takes the rows of layers from … to from a cursor, and drops earlier ones.
func within[T any](c *cursor[T], from, to wire.LayerID, layer func(*T) int64) ([]T, error) {
	for {
		early, err := c.take(batchSize, func(row *T) bool { return layer(row) < int64(from) })
		if err != nil {
			return nil, err
		}
		if len(early) == 0 {
			return c.all(func(row *T) bool { return layer(row) <= int64(to) })
		}
	}
}

func (f *follower) compareLayers(ctx context.Context, from, to wire.LayerID) error {
	type row struct {
		coin                    *bool
		processed               bool
		aggregated, block, root []byte
	}
	there, err := within(f.layers, from, to, func(l *source.Layer) int64 { return int64(l.Layer) })
	if err != nil {
		return err
	}
	here, err := index(ctx, f.r, "layers", compareLayersSQL, func(rows pgx.CollectableRow) (layer int64, v row, err error) {
		err = rows.Scan(&layer, &v.coin, &v.processed, &v.aggregated, &v.block, &v.root)
		return layer, v, err
	}, int64(from), int64(to))
	if err != nil {
		return err
	}
	for _, l := range there {
		c := f.r.compare(source.Layers, fmt.Sprintf("layer %d", l.Layer), l.Place)
		v := here[int64(l.Layer)]
		if l.WeakCoin != nil {
			sameOptional(c, "weak_coin", v.coin, l.WeakCoin)
		}
		if l.Processed {
			same(c, "processed", v.processed, true)
		}
		if l.Applied != nil {
			sameOptional(c, "applied_block", optional[wire.BlockID](v.block), l.Applied)
		}
		if l.Root != nil {
			sameOptional(c, "state_hash", optional[wire.Hash32](v.root), l.Root)
		}
		if l.Aggregated != nil {
			sameOptional(c, "aggregated_hash", optional[wire.Hash32](v.aggregated), l.Aggregated)
		}
		f.r.tally(source.Layers).Compared++
	}
	return nil
}

func (f *follower) compareBlocks(ctx context.Context, from, to wire.LayerID) error {
	there, err := within(f.blocks, from, to, func(b *source.Block) int64 { return int64(b.Layer) })
	if err != nil {
		return err
	}
	type row struct {
		layer int64
		valid *bool
	}
	here, err := byID[wire.BlockID](ctx, f.r, "blocks", compareBlocksSQL,
		func(v *row) []any { return []any{&v.layer, &v.valid} }, int64(from), int64(to))
	if err != nil {
		return err
	}
	for _, b := range there {
		c := f.r.compare(source.Blocks, "block "+b.ID.String(), b.Place)
		v, ok := here[b.ID]
		if same(c, "stored", ok, true); ok {
			same(c, "layer", v.layer, int64(b.Layer))
			if b.Validity != nil {
				sameOptional(c, "validity", v.valid, b.Validity)
			}
		}
		f.r.tally(source.Blocks).Compared++
	}
	return nil
}

func (f *follower) compareCertificates(ctx context.Context, from, to wire.LayerID) error {
	type key struct {
		layer int64
		block wire.BlockID
	}
	type row struct{ certified, valid bool }
	there, err := within(f.certificates, from, to, func(c *source.Certificate) int64 { return int64(c.Layer) })
	if err != nil {
		return err
	}
	here, err := index(ctx, f.r, "certificates", compareCertificatesSQL, func(rows pgx.CollectableRow) (k key, v row, err error) {
		var block []byte
		err = rows.Scan(&k.layer, &block, &v.certified, &v.valid)
		copy(k.block[:], block)
		return k, v, err
	}, int64(from), int64(to))
	if err != nil {
		return err
	}
	for _, s := range there {
		c := f.r.compare(source.Certificates, fmt.Sprintf("certificate of block %s in layer %d", s.Block, s.Layer), s.Place)
		v, ok := here[key{int64(s.Layer), s.Block}]
		if same(c, "stored", ok, true); ok {
			same(c, "certified", v.certified, s.Blob != nil)
			same(c, "valid", v.valid, s.Valid)
		}
		f.r.tally(source.Certificates).Compared++
	}
	return nil
}

// surplus is something that is here and that the source does not have.
func (r *run) surplus(k source.Kind, name string) {
	r.compare(k, name, source.Place{File: string(k)}).differ("stored", true, false)
}
