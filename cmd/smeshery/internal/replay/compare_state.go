package replay

import (
	"bytes"
	"context"
	"fmt"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/source"
	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/wire"
)

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
	here, err := byID[wire.TransactionID](ctx, f.r, "transactions", compareResultsSQL,
		func(v *result) []any { return []any{&v.layer, &v.block, &v.header, &v.result} }, int64(from), int64(to))
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
