package state_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/address"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/signing"
	read "github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"

	"github.com/smeshery/smeshery/services/state"
)

// wallet is an account of the test's genesis.
type wallet struct {
	key     signing.WalletKey
	address wire.Address
	net     *network.Params
}

// testNet has n wallets with coins and none of them spawned.
func testNet(tb testing.TB, n int) (network.Params, []wallet) {
	net := network.Standalone()
	net.Genesis = network.Genesis{Time: time.Unix(1_700_000_000, 0), ExtraData: tb.Name()[:4]}
	wallets := make([]wallet, n)
	for i := range wallets {
		key := signing.NewWalletKey([32]byte{byte(i + 1), byte(i >> 8)})
		wallets[i] = wallet{key, vm.Principal(vm.Wallet, &vm.WalletArgs{PublicKey: key.PublicKey()}), &net}
		net.Genesis.Accounts = append(net.Genesis.Accounts, network.GenesisAccount{
			Address: address.Text(net.HRP, wallets[i].address), Balance: 1e12,
		})
	}
	return net, wallets
}

func (w wallet) sign(unsigned []byte) []byte {
	id := w.net.Genesis.ID()
	signature := w.key.SignTransaction(id[:], unsigned)
	return append(unsigned, signature[:]...)
}

func (w wallet) spawn() []byte {
	return w.sign(vm.SelfSpawn(vm.Wallet, &vm.WalletArgs{PublicKey: w.key.PublicKey()}, vm.Payload{GasPrice: 1}))
}

func (w wallet) spend(to wire.Address, nonce, amount uint64) []byte {
	return w.sign(vm.Spend(w.address, vm.SpendArgs{To: to, Amount: amount}, vm.Payload{Nonce: nonce, GasPrice: 1}))
}

func txID(raw []byte) wire.TransactionID { return wire.NewRawTx(raw).ID }

func hashOf(id wire.TransactionID) wire.Hash32 { return wire.Hash32(id) }

// block makes a block of a layer with one reward.
func block(layer wire.LayerID, atx wire.ATXID, raws ...[]byte) wire.Block {
	b := wire.Block{InnerBlock: wire.InnerBlock{LayerIndex: layer, Rewards: []wire.AnyReward{{AtxID: atx, Weight: wire.RatNum{Num: 1, Denom: 1}}}}}
	for _, raw := range raws {
		b.TxIDs = append(b.TxIDs, txID(raw))
	}
	return b
}

func (w *world) offerBlock(b wire.Block) bus.Judgement {
	return w.sync(bus.KindBlock, wire.Pad32(b.ID()), codec.MustEncode(&b))
}

func (w *world) gossip(raw []byte) bus.Judgement {
	w.tb.Helper()
	j, err := bus.GossipIn(bus.TopicTransaction).Call(w.tb.Context(), w.caller, bus.PeerMessage{Peer: "12D3", Body: raw})
	require.NoError(w.tb, err)
	return j
}

func (w *world) submit(raw []byte) bus.Judgement {
	w.tb.Helper()
	j, err := bus.SubmitTransaction().Call(w.tb.Context(), w.caller, bus.PeerMessage{Body: raw})
	require.NoError(w.tb, err)
	return j
}

func (w *world) choose(layer wire.LayerID, n uint32) []wire.TransactionID {
	w.tb.Helper()
	r, err := bus.Select().Call(w.tb.Context(), w.caller, bus.SelectRequest{Layer: layer, Count: n})
	require.NoError(w.tb, err)
	return r.Transactions
}

var atx = wire.ATXID{1}

// From gossip to proposals, a block, results and, after a restart, the mempool.
func TestALifeOfTransactions(t *testing.T) {
	t.Parallel()
	net, wallets := testNet(t, 3)
	w := newWorld(t, net)
	first := net.FirstEffectiveGenesis() + 1
	w.addATX(atx, net.Epoch(first)-1, wire.NodeID{9}, wire.Address{23: 9})
	s := w.start()
	a, b := wallets[0], wallets[1]

	spawn := a.spawn()
	require.Equal(t, bus.Accept, w.gossip(spawn).Verdict)
	require.Equal(t, bus.Judgement{Verdict: bus.Ignore, Reason: "duplicate"}, w.gossip(spawn))
	early := a.spend(b.address, 1, 5)
	require.Equal(t, bus.Ignore, w.gossip(early).Verdict, "its principal is not spawned")
	forged := b.spawn()
	forged[len(forged)-1] ^= 1
	require.Equal(t, bus.Judgement{Verdict: bus.Ignore, Reason: "signature"}, w.gossip(forged))
	require.Equal(t, []wire.TransactionID{txID(spawn)}, w.choose(first, 10))

	made := block(first, atx, spawn, early)
	missing := w.offerBlock(made)
	require.Equal(t, bus.Ignore, missing.Verdict)
	require.Equal(t, []bus.Missing{{Kind: bus.KindTransaction, Hash: hashOf(txID(early))}}, missing.Missing)
	require.Equal(t, bus.Accept, w.sync(bus.KindTransaction, hashOf(txID(early)), early).Verdict, "a block may list anything")
	require.Equal(t, bus.Accept, w.offerBlock(made).Verdict)
	require.Empty(t, w.choose(first+1, 10), "it is packed")

	reply, err := w.execute(first, made.ID())
	require.NoError(t, err)
	require.Equal(t, uint32(2), reply.Executed)
	next := a.spend(b.address, 2, 7)
	require.Equal(t, bus.Accept, w.gossip(next).Verdict)
	require.Equal(t, bus.Judgement{Verdict: bus.Ignore, Reason: "nonce too low"}, w.gossip(a.spend(b.address, 1, 8)))
	require.Equal(t, []wire.TransactionID{txID(next)}, w.choose(first+1, 10))

	results, err := read.ResultsOfAccount(t.Context(), s.db, b.address, 0, read.Latest)
	require.NoError(t, err)
	require.Len(t, results, 1)
	require.Equal(t, txID(early), results[0].ID)
	require.Equal(t, made.ID(), results[0].Result.Block)
	paid, err := read.RewardsOfCoinbase(t.Context(), s.db, wire.Address{23: 9}, 0, read.Latest)
	require.NoError(t, err)
	require.Len(t, paid, 1)

	s.stop(t)
	w.start()
	require.Equal(t, []wire.TransactionID{txID(next)}, w.choose(first+1, 10), "the mempool survives")
	_, err = w.revert(first - 1)
	require.NoError(t, err)
	require.Equal(t, []wire.TransactionID{txID(next)}, w.choose(first+1, 10), "the block includes the others")
	_, err = w.execute(first, wire.BlockID{})
	require.NoError(t, err)
	require.Equal(t, []wire.TransactionID{txID(spawn), txID(early), txID(next)}, w.choose(first+2, 10), "reverted transactions wait again")
	_, err = w.revert(first - 1)
	require.NoError(t, err)
	again, err := w.execute(first, made.ID())
	require.NoError(t, err)
	require.Equal(t, reply, again)
}

// A client's transaction is stored and published once, and gossip may bring it
// back without blame.
func TestASubmittedTransactionIsPublishedOnce(t *testing.T) {
	t.Parallel()
	net, wallets := testNet(t, 2)
	w := newWorld(t, net)
	w.start()
	first, second := wallets[0].spawn(), wallets[1].spawn()
	require.Equal(t, bus.Accept, w.submit(first).Verdict)
	require.Equal(t, bus.Accept, w.submit(first).Verdict)
	require.Equal(t, bus.Accept, w.gossip(first).Verdict)
	require.Equal(t, bus.Ignore, w.submit([]byte("nonsense")).Verdict)
	require.Equal(t, bus.Accept, w.submit(second).Verdict)

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var got [][]byte
	err := bus.Consume(ctx, w.connect(bus.GossipService), bus.GossipOut(bus.TopicTransaction), bus.Consumption{Durable: "gossip"},
		func(_ context.Context, d bus.Delivery[[]byte]) error {
			if got = append(got, d.Message); len(got) == 2 {
				cancel()
			}
			return nil
		})
	require.NoError(t, err)
	require.Equal(t, [][]byte{first, second}, got)
}

func TestLayersComeInOrderAndOnce(t *testing.T) {
	t.Parallel()
	net, wallets := testNet(t, 1)
	w := newWorld(t, net)
	genesis := net.FirstEffectiveGenesis()
	late := wire.ATXID{2} // targets another epoch
	w.addATX(atx, net.Epoch(genesis+1)-1, wire.NodeID{9}, wire.Address{23: 9})
	w.addATX(late, net.Epoch(genesis+1), wire.NodeID{8}, wire.Address{23: 8})
	s := w.start()
	good, other, unpaid := block(genesis+1, atx), block(genesis+1, atx), block(genesis+1, late)
	other.TickHeight = 3
	for _, b := range []wire.Block{good, other, unpaid} {
		require.Equal(t, bus.Accept, w.offerBlock(b).Verdict)
		require.Equal(t, bus.Accept, w.offerBlock(b).Verdict)
	}
	for name, c := range map[string]struct {
		layer wire.LayerID
		block wire.BlockID
		code  bus.Code
	}{
		"gap":                  {genesis + 2, wire.BlockID{}, bus.Conflict},
		"genesis":              {genesis, good.ID(), bus.Conflict},
		"before it":            {genesis - 1, wire.BlockID{}, bus.Conflict},
		"unknown block":        {genesis + 1, wire.BlockID{7}, bus.NotFound},
		"atx of another epoch": {genesis + 1, unpaid.ID(), bus.NotFound},
	} {
		_, err := w.execute(c.layer, c.block)
		require.ErrorIs(t, err, c.code, name)
	}
	_, err := w.execute(genesis, wire.BlockID{})
	require.NoError(t, err, "a repeat of what the state started from")
	one, err := w.execute(genesis+1, good.ID())
	require.NoError(t, err)
	same, err := w.execute(genesis+1, good.ID())
	require.NoError(t, err)
	require.Equal(t, one, same)
	_, err = w.execute(genesis+1, other.ID())
	require.ErrorIs(t, err, bus.Conflict)
	_, err = w.execute(genesis+2, other.ID())
	require.ErrorIs(t, err, bus.BadRequest, "a block of another layer")
	empty, err := w.execute(genesis+2, wire.BlockID{})
	require.NoError(t, err)
	require.Equal(t, wire.Sum(), empty.StateRoot)

	_, err = w.revert(genesis - 1)
	require.ErrorIs(t, err, bus.Conflict)
	back, err := w.revert(genesis)
	require.NoError(t, err)
	require.Zero(t, back.StateRoot)
	back, err = w.revert(genesis)
	require.NoError(t, err)
	require.Zero(t, back.StateRoot)
	replaced, err := w.execute(genesis+1, other.ID())
	require.NoError(t, err)
	require.Equal(t, one.StateRoot, replaced.StateRoot, "heights do not count for accounts")
	accounts, err := read.AllAccountsAt(t.Context(), s.db, genesis)
	require.NoError(t, err)
	require.Len(t, accounts, 1)
	require.Equal(t, wallets[0].address, accounts[0].Address)
}

func TestBlocksThatBreakRulesAreRejected(t *testing.T) {
	t.Parallel()
	net, wallets := testNet(t, 1)
	w := newWorld(t, net)
	w.start()
	layer := net.FirstEffectiveGenesis() + 1
	good := block(layer, atx)
	unpaid, zero, twice, double := block(layer, atx), block(layer, atx), block(layer, atx), block(layer, atx, wallets[0].spawn(), wallets[0].spawn())
	unpaid.Rewards, zero.Rewards[0].Weight.Num = nil, 0
	twice.Rewards = append(twice.Rewards, twice.Rewards[0])
	for name, c := range map[string]struct {
		block   wire.Block
		verdict bus.Verdict
	}{
		"genesis":             {block(layer-1, atx), bus.Reject},
		"no rewards":          {unpaid, bus.Reject},
		"zero weight":         {zero, bus.Reject},
		"repeated atx":        {twice, bus.Reject},
		"repeated tx":         {double, bus.Ignore},
		"atx that is not had": {good, bus.Ignore},
	} {
		require.Equal(t, c.verdict, w.offerBlock(c.block).Verdict, name)
	}
	require.Equal(t, bus.Reject, w.sync(bus.KindBlock, wire.Hash32{5}, codec.MustEncode(&good)).Verdict, "another id")
	require.Equal(t, bus.Reject, w.sync(bus.KindBlock, wire.Pad32(good.ID()), []byte{1}).Verdict, "malformed")
	require.Equal(t, bus.Reject, w.sync(bus.KindTransaction, wire.Hash32{5}, wallets[0].spawn()).Verdict, "another transaction")
	require.Equal(t, []bus.Missing{{Kind: bus.KindATX, Hash: wire.Hash32(atx)}}, w.offerBlock(good).Missing)
}

func TestAnotherGenesisIsRefused(t *testing.T) {
	t.Parallel()
	net, _ := testNet(t, 1)
	w := newWorld(t, net)
	w.start().stop(t)
	db := storetest.Open(t, w.url, "state")
	for want, change := range map[string]func(*state.Config){
		"genesis id":      func(c *state.Config) { c.Network.Genesis.ExtraData = "other" },
		"accounts differ": func(c *state.Config) { c.Network.Genesis.Accounts = nil },
		"started from":    func(c *state.Config) { c.RestoreLayer = 100 },
	} {
		cfg := state.Config{Network: net}
		change(&cfg)
		s, err := state.New(cfg, state.Deps{DB: db, Bus: w.connect(bus.StateService)})
		require.NoError(t, err)
		require.ErrorContains(t, s.Run(t.Context()), want)
		require.Error(t, s.Ready())
	}
	w.start()
}

func TestAStateStartsFromACheckpoint(t *testing.T) {
	t.Parallel()
	net, wallets := testNet(t, 1)
	w := newWorld(t, net)
	const restore = 1000
	db := storetest.Open(t, w.url, "state")
	s, err := state.New(state.Config{Network: net, RestoreLayer: restore}, state.Deps{DB: db, Bus: w.connect(bus.StateService)})
	require.NoError(t, err)
	require.ErrorContains(t, s.Run(t.Context()), "checkpoint")

	template, key := vm.Wallet.Address(), wallets[0].key.PublicKey()
	restored := wire.Account{Layer: restore - 1, Address: wallets[0].address, Balance: 1e9, NextNonce: 4, TemplateAddress: &template, State: key[:]}
	w.start(func(c *state.Config) { c.RestoreLayer, c.Restored = restore, []wire.Account{restored} }).stop(t)
	w.start(func(c *state.Config) { c.RestoreLayer = restore })
	accounts, err := read.AllAccountsAt(t.Context(), db, read.Latest)
	require.NoError(t, err)
	require.Equal(t, []wire.Account{restored}, accounts)
	_, err = w.execute(restore, wire.BlockID{})
	require.NoError(t, err)
	require.Equal(t, bus.Accept, w.gossip(wallets[0].spend(wire.Address{1}, 4, 1)).Verdict)
}

// One process serves; when it stops another goes on where it was.
func TestAStandbyTakesOver(t *testing.T) {
	t.Parallel()
	net, _ := testNet(t, 1)
	w := newWorld(t, net)
	first := w.start()
	layer := net.FirstEffectiveGenesis() + 1
	_, err := w.execute(layer, wire.BlockID{})
	require.NoError(t, err)

	standby, err := state.New(state.Config{Network: net, LeaseTTL: time.Second}, state.Deps{DB: storetest.Open(t, w.url, "state"), Bus: w.connect(bus.StateService)})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- standby.Run(ctx) }()
	require.Eventually(t, func() bool {
		err := standby.Ready()
		return err != nil && err.Error() == "state: standby: another process holds the lease"
	}, 10*time.Second, time.Millisecond)
	first.stop(t)
	require.Eventually(t, func() bool { return standby.Ready() == nil }, 10*time.Second, 5*time.Millisecond)
	_, err = w.execute(layer+1, wire.BlockID{})
	require.NoError(t, err)
	cancel()
	require.NoError(t, <-ended)
	require.Error(t, standby.Ready())
}

// Whatever moment the request is given up at, the layer is there entirely or not
// at all, and its repeat gives the same root.
func TestARequestGivenUpAnywhereLeavesNoHalfLayer(t *testing.T) {
	t.Parallel()
	const n = 200
	net, wallets := testNet(t, n)
	w := newWorld(t, net)
	layer := net.FirstEffectiveGenesis() + 1
	w.addATX(atx, net.Epoch(layer)-1, wire.NodeID{9}, wire.Address{23: 9})
	s := w.start()
	var raws [][]byte
	for _, a := range wallets {
		raws = append(raws, a.spawn())
		w.sync(bus.KindTransaction, hashOf(txID(raws[len(raws)-1])), raws[len(raws)-1])
	}
	made := block(layer, atx, raws...)
	require.Equal(t, bus.Accept, w.offerBlock(made).Verdict)
	want, err := w.execute(layer, made.ID())
	require.NoError(t, err)
	require.Equal(t, uint32(n), want.Executed)
	for budget := 500 * time.Microsecond; budget < 50*time.Millisecond; budget = budget * 5 / 4 {
		_, err := w.revert(layer - 1)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), budget)
		_, err = bus.Execute().Call(ctx, w.caller, bus.ExecuteRequest{Layer: layer, Block: made.ID()})
		cancel()
		require.True(t, err == nil || errors.Is(err, bus.Late) || errors.Is(err, context.DeadlineExceeded), "%v", err)
		versions, err := read.AccountVersions(t.Context(), s.db, layer, layer)
		require.NoError(t, err)
		require.Contains(t, []int{0, n + 1}, len(versions))
		got, err := w.execute(layer, made.ID())
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

// Blocks stored by many at once appear to a follower in the order of seq.
func TestTheFeedOfBlocksHasNoLateRows(t *testing.T) {
	t.Parallel()
	net, _ := testNet(t, 1)
	w := newWorld(t, net)
	layer := net.FirstEffectiveGenesis() + 1
	w.addATX(atx, 0, wire.NodeID{9}, wire.Address{23: 9})
	s := w.start()
	const writers, each = 8, 20
	hints := make(chan struct{}, writers*each)
	_, err := bus.Listen(t.Context(), w.caller, bus.NewRows(bus.StateService, bus.FeedBlocks), false, bus.Queue{Length: 1024, Full: 1},
		func(context.Context, bus.None) { hints <- struct{}{} })
	require.NoError(t, err)
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			for j := range each {
				b := block(layer, atx)
				b.TickHeight = uint64(i*each + j)
				w.offerBlock(b)
			}
		})
	}
	var last int64
	seen := 0
	for seen < writers*each {
		rows, err := read.BlocksAfter(t.Context(), s.db, last, 1000)
		require.NoError(t, err)
		for _, b := range rows {
			require.Equal(t, last+1, b.Seq, "a lower number appeared later")
			last = b.Seq
			seen++
		}
	}
	all.Wait()
	require.Eventually(t, func() bool { return len(hints) == writers*each }, 10*time.Second, time.Millisecond)
}

func TestConfigurationNamesAllItsProblems(t *testing.T) {
	t.Parallel()
	_, err := state.New(state.Config{Restored: []wire.Account{{}}}, state.Deps{})
	for _, want := range []string{"extra data", "layers in an epoch", "restore layer", "database", "bus"} {
		require.ErrorContains(t, err, want)
	}
}

func TestMetricsAreServed(t *testing.T) {
	t.Parallel()
	net, wallets := testNet(t, 1)
	w := newWorld(t, net)
	registry := prometheus.NewRegistry()
	s, err := state.New(state.Config{Network: net}, state.Deps{DB: storetest.Open(t, w.url, "state"), Bus: w.connect(bus.StateService), Metrics: registry})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	require.Eventually(t, func() bool { return s.Ready() == nil }, 10*time.Second, 5*time.Millisecond)
	w.gossip(wallets[0].spawn())
	w.gossip([]byte{1})
	problems, err := testutil.GatherAndLint(registry)
	require.NoError(t, err)
	require.Empty(t, problems)
	n, err := testutil.GatherAndCount(registry, "smeshery_state_judged_total")
	require.NoError(t, err)
	require.Equal(t, 2, n)
	cancel()
	require.NoError(t, <-ended)
}
