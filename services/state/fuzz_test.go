package state_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Requests of FuzzRequests.
const (
	askGossip = iota
	askSubmit
	askTransaction
	askBlock
	askExecute
	askRevert
	askSelect
	askKinds
)

// FuzzRequests hands a running service any bytes in any request. It never fails
// at them, gives no verdict without a reason, and what it accepts is what the
// sender could make and the name under which it was asked for.
func FuzzRequests(f *testing.F) {
	net, wallets := testNet(f, 3)
	w := newWorld(f, net)
	first := net.FirstEffectiveGenesis() + 1
	w.addATX(atx, net.Epoch(first)-1, wire.NodeID{9}, wire.Address{23: 9})
	db := w.start().db
	signed := map[string]bool{}
	add := func(kind uint8, body []byte) { f.Add(kind, true, []byte(nil), body) }
	for _, raw := range [][]byte{
		wallets[0].spawn(), wallets[0].spend(wallets[1].address, 1, 5), wallets[1].spawn(), wallets[2].spawn(),
	} {
		signed[string(raw)] = true
		for _, kind := range []uint8{askGossip, askSubmit, askTransaction} {
			add(kind, raw)
		}
	}
	made := block(first, atx, wallets[0].spawn())
	empty := block(first+1, atx)
	add(askBlock, codec.MustEncode(&made))
	add(askBlock, codec.MustEncode(&empty))
	for _, name := range vectors.Recordings(f) {
		add(askBlock, vectors.Rows[struct{ Blob vectors.Hex }](f, name, "blocks")[0].Blob)
		add(askTransaction, vectors.Rows[struct{ Raw vectors.Hex }](f, name, "transactions")[0].Raw)
	}
	f.Add(uint8(askTransaction), false, []byte{1, 2, 3}, wallets[0].spawn())
	add(askExecute, codec.MustEncode(&bus.ExecuteRequest{Layer: first, Block: made.ID()}))
	add(askExecute, codec.MustEncode(&bus.ExecuteRequest{Layer: first}))
	add(askExecute, codec.MustEncode(&bus.ExecuteRequest{Layer: 1 << 31, Block: wire.BlockID{1}}))
	add(askRevert, codec.MustEncode(&bus.RevertRequest{To: first}))
	add(askRevert, codec.MustEncode(&bus.RevertRequest{To: 1}))
	add(askSelect, codec.MustEncode(&bus.SelectRequest{Layer: first, Count: 1 << 31}))
	f.Fuzz(func(t *testing.T, kind uint8, named bool, name, body []byte) {
		switch kind %= askKinds; kind {
		case askGossip, askSubmit:
			j := w.ask(t, kind, bus.PeerMessage{Peer: "12D3", Body: body})
			if j.Verdict == bus.Accept {
				require.True(t, signed[string(body)], "%x is signed by nobody", body)
				requireRaw(t, db, txID(body), body)
			}
		case askTransaction:
			w.fuzzTransaction(t, db, nameOf(named, name, wire.Hash32(txID(body))), body)
		case askBlock:
			w.fuzzBlock(t, db, named, name, body)
		default:
			w.fuzzLayers(t, kind, body)
		}
	})
}

// nameOf is the name that the sender would give, or any.
func nameOf(right bool, any []byte, own wire.Hash32) (h wire.Hash32) {
	if right {
		return own
	}
	copy(h[:], any)
	return h
}

func (w *world) ask(t *testing.T, kind uint8, m bus.PeerMessage) bus.Judgement {
	endpoint := bus.GossipIn(bus.TopicTransaction)
	if kind == askSubmit {
		endpoint = bus.SubmitTransaction()
	}
	j, err := endpoint.Call(t.Context(), w.caller, m)
	requireJudged(t, j, err)
	return j
}

func requireJudged(t *testing.T, j bus.Judgement, err error) {
	t.Helper()
	require.NoError(t, err)
	require.NotEqual(t, bus.Unknown, j.Verdict)
	if j.Verdict != bus.Accept {
		require.NotEmpty(t, j.Reason)
	}
}

func storedCount(t *testing.T, db *store.DB, id wire.TransactionID) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRow(t.Context(), "SELECT count(*) FROM transactions WHERE id = $1", id[:]).Scan(&n))
	return n
}

func requireRaw(t *testing.T, db *store.DB, id wire.TransactionID, raw []byte) {
	t.Helper()
	var stored []byte
	require.NoError(t, db.QueryRow(t.Context(), "SELECT raw FROM transactions WHERE id = $1", id[:]).Scan(&stored))
	require.Equal(t, append([]byte{}, raw...), stored)
}

// fuzzTransaction: under another name than its own only what is stored already
// is accepted, and without a name it is not compared (spec 07 §14.3).
func (w *world) fuzzTransaction(t *testing.T, db *store.DB, hash wire.Hash32, body []byte) {
	id, before := txID(body), 1
	if hash != wire.Hash32(id) && hash != (wire.Hash32{}) {
		before = storedCount(t, db, id)
	}
	j, err := bus.SyncIn(bus.KindTransaction).Call(t.Context(), w.caller, bus.FetchedObject{Hash: hash, Body: body})
	requireJudged(t, j, err)
	if j.Verdict == bus.Accept {
		require.Equal(t, 1, before, "accepted under another name")
		requireRaw(t, db, id, body)
	}
}

func (w *world) fuzzBlock(t *testing.T, db *store.DB, named bool, name, body []byte) {
	var b wire.Block
	malformed := codec.Decode(body, &b) != nil
	hash := nameOf(named && !malformed, name, wire.Pad32(b.ID()))
	j, err := bus.SyncIn(bus.KindBlock).Call(t.Context(), w.caller, bus.FetchedObject{Hash: hash, Body: body})
	requireJudged(t, j, err)
	if j.Verdict != bus.Accept {
		return
	}
	require.False(t, malformed)
	require.Equal(t, body, codec.MustEncode(&b))
	id := b.ID()
	require.Equal(t, id[:], hash[:len(id)])
	require.Greater(t, b.LayerIndex, w.net.FirstEffectiveGenesis())
	for _, r := range b.Rewards {
		require.Equal(t, atx, r.AtxID, "the only one that there is")
	}
	for _, tx := range b.TxIDs {
		require.Equal(t, 1, storedCount(t, db, tx), "transaction %s is not here", tx)
	}
}

// fuzzLayers applies, reverts and chooses; what decodes is refused with a code
// that says why, or done, and then done again to the same end.
func (w *world) fuzzLayers(t *testing.T, kind uint8, body []byte) {
	switch kind {
	case askExecute:
		var r bus.ExecuteRequest
		if codec.Decode(body, &r) != nil {
			return
		}
		done, err := bus.Execute().Call(t.Context(), w.caller, r)
		again, errAgain := bus.Execute().Call(t.Context(), w.caller, r)
		requireCode(t, err, bus.Conflict, bus.NotFound, bus.BadRequest)
		require.Equal(t, err == nil, errAgain == nil)
		require.Equal(t, done, again)
	case askRevert:
		var r bus.RevertRequest
		if codec.Decode(body, &r) != nil {
			return
		}
		_, err := bus.Revert().Call(t.Context(), w.caller, r)
		requireCode(t, err, bus.Conflict)
	case askSelect:
		var r bus.SelectRequest
		if codec.Decode(body, &r) != nil {
			return
		}
		chosen, err := bus.Select().Call(t.Context(), w.caller, r)
		require.NoError(t, err)
		require.LessOrEqual(t, uint64(len(chosen.Transactions)), uint64(r.Count))
	}
}

// requireCode wants no error, or one of the codes.
func requireCode(t *testing.T, err error, codes ...bus.Code) {
	t.Helper()
	if err == nil {
		return
	}
	for _, code := range codes {
		if errors.Is(err, code) {
			return
		}
	}
	require.NoError(t, err)
}
