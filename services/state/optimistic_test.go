package state_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	read "github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/wire"
)

// A layer that is executed before its block exists leaves out what does not count,
// and ends as if it had been executed with the block.
func TestABlockMadeByExecution(t *testing.T) {
	t.Parallel()
	net, wallets := testNet(t, 2)
	w := newWorld(t, net)
	first := net.FirstEffectiveGenesis() + 1
	w.addATX(atx, net.Epoch(first)-1, wire.NodeID{9}, wire.Address{23: 9})
	s := w.start()
	a, b := wallets[0], wallets[1]
	spawn, unspawned := a.spawn(), b.spend(a.address, 3, 1)
	proposed := block(first, atx, spawn, unspawned)

	links, err := bus.LinkProposal().Call(t.Context(), w.caller, bus.ProposedTransactions{Layer: first, Transactions: proposed.TxIDs})
	require.NoError(t, err)
	require.Equal(t, proposed.TxIDs, links.Transactions, "none is stored")
	_, err = bus.ExecuteOptimistic().Call(t.Context(), w.caller, bus.OptimisticRequest{Block: proposed.InnerBlock})
	require.ErrorIs(t, err, bus.NotFound)
	for _, raw := range [][]byte{spawn, unspawned} {
		require.Equal(t, bus.Accept, w.sync(bus.KindTransaction, hashOf(txID(raw)), raw).Verdict)
	}
	require.Equal(t, []wire.TransactionID{txID(spawn)}, w.choose(first, 10))
	links, err = bus.LinkProposal().Call(t.Context(), w.caller, bus.ProposedTransactions{Layer: first, Transactions: proposed.TxIDs})
	require.NoError(t, err)
	require.Empty(t, links.Transactions)
	require.Empty(t, w.choose(first+1, 10), "it is proposed")

	gap := proposed.InnerBlock
	gap.LayerIndex++
	_, err = bus.ExecuteOptimistic().Call(t.Context(), w.caller, bus.OptimisticRequest{Block: gap})
	require.ErrorIs(t, err, bus.Conflict)
	reply, err := bus.ExecuteOptimistic().Call(t.Context(), w.caller, bus.OptimisticRequest{Block: proposed.InnerBlock})
	require.NoError(t, err)
	var made wire.Block
	require.NoError(t, codec.Decode(reply.Body, &made))
	require.Equal(t, reply.ID, made.ID())
	require.Equal(t, []wire.TransactionID{txID(spawn)}, made.TxIDs)
	require.Equal(t, proposed.Rewards, made.Rewards)

	again, err := bus.ExecuteOptimistic().Call(t.Context(), w.caller, bus.OptimisticRequest{Block: proposed.InnerBlock})
	require.NoError(t, err)
	require.Equal(t, reply, again)
	other := proposed.InnerBlock
	other.TickHeight++
	_, err = bus.ExecuteOptimistic().Call(t.Context(), w.caller, bus.OptimisticRequest{Block: other})
	require.ErrorIs(t, err, bus.Conflict)
	results, err := read.ResultsOfAccount(t.Context(), s.db, a.address, 0, read.Latest)
	require.NoError(t, err)
	require.Len(t, results, 1)
	require.Equal(t, reply.ID, results[0].Result.Block)

	_, err = w.revert(first - 1)
	require.NoError(t, err)
	same, err := w.execute(first, reply.ID)
	require.NoError(t, err, "the block is stored")
	require.Equal(t, reply.StateRoot, same.StateRoot)
}
