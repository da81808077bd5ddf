package replay

import (
	"bytes"
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/source"
	"github.com/smeshery/smeshery/pkg/store/read/state"
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
	here, err := index(ctx, f.r, "blocks", compareBlocksSQL, func(rows pgx.CollectableRow) (id wire.BlockID, v row, err error) {
		var key []byte
		err = rows.Scan(&key, &v.layer, &v.valid)
		copy(id[:], key)
		return id, v, err
	}, int64(from), int64(to))
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

func (f *follower) compareAccounts(ctx context.Context, from, to wire.LayerID) error {
	if from == f.r.genesis+1 {
		from = 0 // the accounts of genesis
	}
	type key struct {
		address wire.Address
		layer   wire.LayerID
	}
	there, err := within(f.accounts, from, to, func(a *source.Account) int64 { return int64(a.Layer) })
	if err != nil {
		return err
	}
	var versions []wire.Account
	err = f.r.query(ctx, "compare accounts", func(ctx context.Context) (err error) {
		versions, err = state.AccountVersions(ctx, f.r.target.DB(), from, to)
		return err
	})
	if err != nil {
		return err
	}
	here := make(map[key]wire.Account, len(versions))
	for _, v := range versions {
		here[key{v.Address, v.Layer}] = v
	}
	for _, a := range there {
		c := f.r.compare(source.Accounts, fmt.Sprintf("account %s of layer %d", a.Address, a.Layer), a.Place)
		v, ok := here[key{a.Address, a.Layer}]
		delete(here, key{a.Address, a.Layer})
		if same(c, "stored", ok, true); ok {
			same(c, "balance", v.Balance, a.Balance)
			same(c, "next_nonce", v.NextNonce, a.NextNonce)
			sameOptional(c, "template", v.TemplateAddress, a.Template)
			if !bytes.Equal(v.State, a.State) {
				c.differ("state", v.State, a.State)
			}
		}
		f.r.tally(source.Accounts).Compared++
	}
	for k := range here {
		f.r.surplus(source.Accounts, fmt.Sprintf("account %s of layer %d", k.address, k.layer))
	}
	return nil
}

func (f *follower) compareRewards(ctx context.Context, from, to wire.LayerID) error {
	type key struct {
		node  wire.NodeID
		layer wire.LayerID
	}
	there, err := within(f.rewards, from, to, func(s *source.Reward) int64 { return int64(s.Layer) })
	if err != nil {
		return err
	}
	var rewards []wire.Reward
	err = f.r.query(ctx, "compare rewards", func(ctx context.Context) (err error) {
		rewards, err = state.RewardsBetween(ctx, f.r.target.DB(), from, to)
		return err
	})
	if err != nil {
		return err
	}
	here := make(map[key]wire.Reward, len(rewards))
	for _, v := range rewards {
		here[key{v.SmesherID, v.Layer}] = v
	}
	for _, s := range there {
		name := fmt.Sprintf("reward of %s for layer %d", s.NodeID, s.Layer)
		c := f.r.compare(source.Rewards, name, s.Place)
		v, ok := here[key{s.NodeID, s.Layer}]
		delete(here, key{s.NodeID, s.Layer})
		if same(c, "stored", ok, true); ok {
			same(c, "coinbase", v.Coinbase, s.Coinbase)
			same(c, "total_reward", v.TotalReward, s.Total)
			same(c, "layer_reward", v.LayerReward, s.LayerReward)
		}
		f.r.tally(source.Rewards).Compared++
	}
	for k := range here {
		f.r.surplus(source.Rewards, fmt.Sprintf("reward of %s for layer %d", k.node, k.layer))
	}
	return nil
}

// result is what became of an applied transaction.
type result struct {
	layer                 int64
	block, header, result []byte
}

func (f *follower) compareResults(ctx context.Context, from, to wire.LayerID) error {
	there, err := within(f.transactions, from, to, func(t *source.Transaction) int64 {
		if t.Layer == nil {
			return -1
		}
		return int64(*t.Layer)
	})
	if err != nil {
		return err
	}
	here, err := index(ctx, f.r, "transactions", compareResultsSQL, func(rows pgx.CollectableRow) (id wire.TransactionID, v result, err error) {
		var key []byte
		err = rows.Scan(&key, &v.layer, &v.block, &v.header, &v.result)
		copy(id[:], key)
		return id, v, err
	}, int64(from), int64(to))
	if err != nil {
		return err
	}
	for i := range there {
		t := &there[i]
		c := f.r.compare(source.Transactions, "transaction "+t.ID.String(), t.Place)
		v, ok := here[t.ID]
		delete(here, t.ID)
		if same(c, "applied", ok, true); ok {
			same(c, "layer", v.layer, int64(*t.Layer))
			sameOptional(c, "block", optional[wire.BlockID](v.block), t.Block)
			if !bytes.Equal(v.header, t.Header) {
				c.differ("header", v.header, t.Header)
			}
			if !bytes.Equal(v.result, t.Result) {
				c.differ("result", v.result, t.Result)
			}
		}
		f.r.tally(source.Transactions).Compared++
	}
	for id, v := range here {
		f.r.surplus(source.Transactions, fmt.Sprintf("transaction %s, applied in layer %d", id, v.layer))
	}
	return nil
}

// surplus is something that is here and that the source does not have.
func (r *run) surplus(k source.Kind, name string) {
	r.compare(k, name, source.Place{File: string(k)}).differ("stored", true, false)
}
