package block_test

import (
	"errors"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/pkg/block"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/mempool"
	"github.com/smeshery/smeshery/pkg/wire"
)

var noTxs block.Txs = func(wire.TransactionID) (mempool.BlockTx, bool) { return mempool.BlockTx{}, false }

func TestRewardIsFractionInLowestTerms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weight, slots := rapid.Uint64().Draw(t, "weight"), rapid.Uint32Range(1, 1<<20).Draw(t, "slots")
		proofs := rapid.IntRange(1, 25_000).Draw(t, "proofs")
		plan, err := block.Generate(block.Params{Threshold: 90}, 1, []block.Candidate{{Weight: weight, Slots: slots, Proofs: proofs}}, wire.Hash32{}, noTxs)
		require.NoError(t, err)
		want := new(big.Rat).SetFrac(new(big.Int).SetUint64(weight), big.NewInt(int64(slots)))
		want.Mul(want, big.NewRat(int64(proofs), 1))
		num := new(big.Int).And(want.Num(), new(big.Int).SetUint64(1<<64-1))
		require.Equal(t, wire.RatNum{Num: num.Uint64(), Denom: want.Denom().Uint64()}, plan.Rewards[0].Weight)
	})
}

func TestProposalWithoutSlots(t *testing.T) {
	_, err := block.Generate(block.Params{}, 1, []block.Candidate{{Weight: 1, Proofs: 1}}, wire.Hash32{}, noTxs)
	require.ErrorIs(t, err, &block.RuleError{Rule: block.RuleNoSlots})
}

func TestZeroMeshHashNeverWins(t *testing.T) {
	c := []block.Candidate{{Weight: 1, Slots: 1, Proofs: 99}, {ID: wire.ProposalID{1}, ATX: wire.ATXID{1}, Slots: 1, Proofs: 1, MeshHash: wire.Hash32{1}}}
	plan, err := block.Generate(block.Params{Threshold: 90}, 1, c, wire.Hash32{2}, noTxs)
	require.NoError(t, err)
	require.False(t, plan.Optimistic)
}

func TestMajorityIsNinetyOfHundred(t *testing.T) {
	for proofs, optimistic := range map[int]bool{89: false, 90: true} {
		c := []block.Candidate{
			{Slots: 1, Proofs: proofs, MeshHash: wire.Hash32{1}},
			{ID: wire.ProposalID{1}, ATX: wire.ATXID{1}, Slots: 1, Proofs: 100 - proofs},
		}
		plan, err := block.Generate(block.Params{Threshold: 90}, 1, c, wire.Hash32{1}, noTxs)
		require.NoError(t, err)
		require.Equal(t, optimistic, plan.Optimistic, "%d of 100", proofs)
	}
}

func TestQueueRunsLayersInOrder(t *testing.T) {
	var q block.Queue
	for _, layer := range []wire.LayerID{7, 5, 4, 2} {
		q.Add(&block.Plan{Layer: layer})
	}
	require.Equal(t, wire.LayerID(4), q.Next(3).Layer)
	require.Equal(t, 2, q.Len(), "a plan for an applied layer is dropped")
	require.Equal(t, wire.LayerID(5), q.Next(4).Layer)
	require.Nil(t, q.Next(5), "a gap stops the queue")
	require.Equal(t, wire.LayerID(7), q.Next(6).Layer)
}

func message(node byte, layer wire.LayerID, id wire.BlockID, count uint16) []byte {
	m := wire.CertifyMessage{CertifyContent: wire.CertifyContent{LayerID: layer, BlockID: id, EligibilityCnt: count}, SmesherID: wire.NodeID{node}}
	return codec.MustEncode(&m)
}

// lenient takes any signature.
type lenient struct{ signed, eligible, beacon bool }

func (l lenient) BeaconKnown(wire.LayerID) bool      { return l.beacon }
func (l lenient) Signed(*wire.CertifyMessage) bool   { return l.signed }
func (l lenient) Eligible(*wire.CertifyMessage) bool { return l.eligible }
func noRows(wire.LayerID) ([]block.Row, error)       { return nil, nil }

func newCertifier(j lenient) *block.Certifier {
	return block.NewCertifier(block.CertifierParams{EffectiveGenesis: 7, Threshold: 6, LayerBuffer: 2, LayersToKeep: 4}, j)
}

func TestVerdictsOnCertifyMessages(t *testing.T) {
	good := lenient{true, true, true}
	m := message(1, 30, wire.BlockID{1}, 3)
	for name, c := range map[string]struct {
		judge   lenient
		raw     []byte
		current wire.LayerID
		want    block.Verdict
	}{
		"good":                {good, m, 30, block.Accept},
		"trailing byte":       {good, append(m[:len(m):len(m)], 0), 30, block.Reject},
		"empty":               {good, nil, 30, block.Reject},
		"beacon unknown":      {lenient{true, true, false}, m, 30, block.Ignore},
		"as early as allowed": {good, m, 28, block.Accept},
		"too early":           {good, m, 27, block.Ignore},
		"as late as allowed":  {good, m, 33, block.Accept},
		"too late":            {good, m, 34, block.Ignore},
		"first layers":        {good, message(1, 7, wire.BlockID{}, 1), 3, block.Ignore},
		"bad signature":       {lenient{false, true, true}, m, 30, block.Reject},
		"not eligible":        {lenient{true, false, true}, m, 30, block.Ignore},
	} {
		got, save, _ := newCertifier(c.judge).OnMessage(c.raw, c.current, noRows)
		require.Equal(t, c.want, got, name)
		require.Nil(t, save, name)
	}
}

func TestCertificateIsMadeOnce(t *testing.T) {
	c := newCertifier(lenient{true, true, true})
	for node := range byte(2) {
		_, save, err := c.OnMessage(message(node, 30, wire.BlockID{1}, 3), 30, noRows)
		require.NoError(t, err)
		require.Nil(t, save, "not registered")
	}
	save, err := c.Register(30, wire.BlockID{1}, noRows)
	require.NoError(t, err)
	require.Len(t, save.Certificate.Signatures, 2)
	save, err = c.Register(30, wire.BlockID{1}, noRows)
	require.NoError(t, err)
	require.Nil(t, save)
	// What comes later is relayed without a look at it.
	verdict, save, err := c.OnMessage(message(9, 30, wire.BlockID{1}, 3), 30, noRows)
	require.NoError(t, err)
	require.Equal(t, block.Accept, verdict)
	require.Nil(t, save)
}

func TestFailedReadIsNotLost(t *testing.T) {
	c := newCertifier(lenient{true, true, true})
	broken := errors.New("disk on fire")
	_, _, err := c.OnMessage(message(1, 30, wire.BlockID{1}, 6), 30, noRows)
	require.NoError(t, err)
	_, err = c.Register(30, wire.BlockID{1}, func(wire.LayerID) ([]block.Row, error) { return nil, broken })
	require.ErrorIs(t, err, broken)
	save, err := c.Register(30, wire.BlockID{1}, noRows)
	require.NoError(t, err)
	require.NotNil(t, save)
}

func TestCountsOfCertificateWrap(t *testing.T) {
	c := newCertifier(lenient{true, true, true})
	certificate := wire.Certificate{BlockID: wire.BlockID{1}, Signatures: make([]wire.CertifyMessage, 2)}
	certificate.Signatures[0].EligibilityCnt, certificate.Signatures[1].EligibilityCnt = 1<<16-1, 3
	_, err := c.OnCertificate(30, &certificate, noRows)
	require.ErrorIs(t, err, &block.RuleError{Rule: block.RuleInvalidCertificate})
}

// TestOneIdentityCannotFillMemory: an eligible smesher certifies blocks without end.
func TestOneIdentityCannotFillMemory(t *testing.T) {
	c := newCertifier(lenient{true, true, true})
	for i := range 100 {
		verdict, _, err := c.OnMessage(message(1, 30, wire.BlockID{byte(i)}, 1), 30, noRows)
		require.NoError(t, err)
		require.Equal(t, block.Accept, verdict)
	}
	for i := range 100 {
		save, err := c.Register(30, wire.BlockID{byte(i)}, noRows)
		require.NoError(t, err)
		require.Nil(t, save)
	}
	c.OnLayer(35)
	verdict, save, err := c.OnMessage(message(1, 34, wire.BlockID{1}, 6), 35, noRows)
	require.NoError(t, err)
	require.Equal(t, block.Accept, verdict)
	require.Nil(t, save)
}

func TestAdoptionNeedsAnEmptyLayer(t *testing.T) {
	require.True(t, block.Adopts(25, 30, 7, 10, nil))
	require.False(t, block.Adopts(20, 30, 7, 10, nil))
	require.True(t, block.Adopts(8, 9, 7, 10, nil))
	require.False(t, block.Adopts(7, 9, 7, 10, nil))
	require.False(t, block.Adopts(25, 30, 7, 10, []block.Row{{}}))
}

func FuzzRead(f *testing.F) {
	plan, err := block.Generate(block.Params{Threshold: 90}, 9, []block.Candidate{{Weight: 7, Slots: 3, Proofs: 2}}, wire.Hash32{}, noTxs)
	require.NoError(f, err)
	b := plan.Executed([]wire.TransactionID{{1}, {2}})
	id := b.ID()
	f.Add(codec.MustEncode(b), id[:])
	b.TxIDs[1] = b.TxIDs[0]
	f.Add(codec.MustEncode(b), []byte{})
	f.Fuzz(func(t *testing.T, raw, want []byte) {
		var id wire.BlockID
		if copy(id[:], want); len(want) == 0 {
			sum := wire.Sum(raw)
			id = wire.BlockID(sum.Truncate())
		}
		b, err := block.Read(raw, id, 7)
		if err != nil {
			require.NotEmpty(t, class(err))
			return
		}
		require.Equal(t, id, b.ID())
		require.NoError(t, block.CheckRewards(b.Rewards))
	})
}

func FuzzOnMessage(f *testing.F) {
	f.Add(message(1, 30, wire.BlockID{1}, 3), uint32(30))
	f.Fuzz(func(t *testing.T, raw []byte, current uint32) {
		c := newCertifier(lenient{true, true, true})
		verdict, save, _ := c.OnMessage(raw, wire.LayerID(current), noRows)
		require.NotEqual(t, block.Unknown, verdict)
		require.Nil(t, save)
		c.OnLayer(wire.LayerID(current))
	})
}

func BenchmarkGenerate(b *testing.B) {
	var candidates []block.Candidate
	txs := make(map[wire.TransactionID]mempool.BlockTx)
	for i := range 50 {
		c := block.Candidate{ID: wire.ProposalID{byte(i)}, ATX: wire.ATXID{byte(i)}, Weight: 1000, Slots: 7, Proofs: 1, MeshHash: wire.Hash32{byte(i)}}
		for j := range 700 {
			id := wire.TransactionID(wire.Sum([]byte{byte((i*100 + j) >> 8), byte(i*100 + j)}))
			txs[id] = mempool.BlockTx{Tx: mempool.Tx{ID: id, Header: wire.TxHeader{
				Principal: wire.Address{id[0], id[1]}, Nonce: uint64(id[2] % 8), MaxGas: 100, GasPrice: 1,
			}}}
			c.Txs = append(c.Txs, id)
		}
		candidates = append(candidates, c)
	}
	lookup := func(id wire.TransactionID) (mempool.BlockTx, bool) {
		tx, ok := txs[id]
		return tx, ok
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := block.Generate(block.Params{GasLimit: 100_107_000, Threshold: 90}, 1, candidates, wire.Hash32{}, lookup); err != nil {
			b.Fatal(err)
		}
	}
}
