package activation

import (
	"cmp"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/network"
	read "github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/db"
	"github.com/smeshery/smeshery/services/activation/internal/intake"
)

type recordedATX struct {
	ID         vectors.Hex  `json:"id"`
	Version    uint8        `json:"version"`
	Publish    wire.EpochID `json:"publish_epoch"`
	Node       vectors.Hex  `json:"node_id"`
	Received   int64        `json:"received_ns"`
	Units      uint32       `json:"effective_num_units"`
	Weight     uint64       `json:"weight"`
	Base       uint64       `json:"base_tick_height"`
	Ticks      uint64       `json:"tick_count"`
	Sequence   uint64       `json:"sequence"`
	Nonce      uint64       `json:"vrf_nonce"`
	Coinbase   vectors.Hex  `json:"coinbase"`
	Commitment vectors.Hex  `json:"commitment_atx"`
	Validity   atx.Validity `json:"validity"`
	Marriage   vectors.Hex  `json:"marriage_atx"`
	Blob       vectors.Hex  `json:"blob"`
}

func optional(h vectors.Hex) *wire.ATXID {
	if h == nil {
		return nil
	}
	id := wire.ATXID(h)
	return &id
}

func (r *recordedATX) row() atx.Row {
	return atx.Row{
		ID: wire.ATXID(r.ID), PublishEpoch: r.Publish, NodeID: wire.NodeID(r.Node), EffectiveUnits: r.Units,
		Commitment: optional(r.Commitment), VRFNonce: r.Nonce, Coinbase: wire.Address(r.Coinbase),
		BaseHeight: r.Base, Ticks: r.Ticks, Weight: r.Weight, Sequence: r.Sequence,
		MarriageATX: optional(r.Marriage), Received: r.Received,
	}
}

type recordedPoet struct {
	Ref  vectors.Hex `json:"ref"`
	Blob vectors.Hex `json:"blob"`
}

func paramsOf(t testing.TB, recording string) network.Params {
	m := vectors.ReadManifest(t, recording)
	params, err := network.Preset(m.Preset)
	require.NoError(t, err)
	params.Genesis.Time, params.Genesis.ExtraData = m.GenesisTime, m.ExtraData
	params.ATXVersions = nil
	for epoch, version := range m.ATXVersions {
		e, err := strconv.ParseUint(epoch, 10, 32)
		require.NoError(t, err)
		params.ATXVersions = append(params.ATXVersions, network.ATXVersion{Epoch: wire.EpochID(e), Version: version})
	}
	slices.SortFunc(params.ATXVersions, func(a, b network.ATXVersion) int { return cmp.Compare(a.Epoch, b.Epoch) })
	return params
}

// What a real network made of its ATXs is what we make of them, with all proofs
// verified.
func TestRecordings(t *testing.T) {
	for _, name := range vectors.Recordings(t) {
		t.Run(name, func(t *testing.T) { replay(t, name) })
	}
}

func replay(t *testing.T, name string) {
	atxs := vectors.Rows[recordedATX](t, name, "atxs")
	poets := vectors.Rows[recordedPoet](t, name, "poet_proofs")
	slices.SortStableFunc(atxs, func(a, b recordedATX) int { return cmp.Compare(a.Received, b.Received) })
	received := make(map[wire.ATXID]time.Time)
	for i := range atxs {
		received[wire.ATXID(atxs[i].ID)] = time.Unix(0, atxs[i].Received)
	}
	w := start(t, paramsOf(t, name), func(s *setup) {
		s.deps.Received = func(id wire.ATXID) (time.Time, bool) { at, ok := received[id]; return at, ok }
	})
	w.clock.at.Store(atxs[len(atxs)-1].Received)

	var wg sync.WaitGroup
	for i := range poets {
		wg.Go(func() {
			j := w.sync(t, bus.KindPoet, poets[i].Ref.Array32(), poets[i].Blob)
			if j.Verdict != bus.Accept {
				t.Errorf("poet proof %v: %v %s", poets[i].Ref, j.Verdict, j.Detail)
			}
		})
	}
	wg.Wait()
	for i := range atxs {
		j := w.sync(t, bus.KindATX, atxs[i].ID.Array32(), atxs[i].Blob)
		require.Equal(t, bus.Judgement{Verdict: bus.Accept}, j, "atx %v", atxs[i].ID)
	}
	compareRows(t, w, atxs)
	compareFeed(t, w, atxs)
	compareValidity(t, w, atxs)
}

func rowsOf(t testing.TB, w *world, atxs []recordedATX) map[wire.ATXID]atx.Row {
	rows, blobs := make(map[wire.ATXID]atx.Row), make(map[wire.ATXID][]byte)
	var ids []wire.ATXID
	for i := range atxs {
		ids = append(ids, wire.ATXID(atxs[i].ID))
	}
	l := db.NewLoader()
	l.ATXs(ids, func(r *atx.Row) { rows[r.ID] = *r })
	l.Blobs(ids, func(id wire.ATXID, b []byte) { blobs[id] = b })
	_, err := l.Run(t.Context(), w.db)
	require.NoError(t, err)
	for i := range atxs {
		require.Equal(t, []byte(atxs[i].Blob), blobs[ids[i]])
	}
	return rows
}

func compareRows(t *testing.T, w *world, atxs []recordedATX) {
	rows := rowsOf(t, w, atxs)
	require.Len(t, rows, len(atxs))
	for i := range atxs {
		want := atxs[i].row()
		require.Equal(t, want, rows[want.ID])
	}
}

// The feed shows them in the order of their arrival.
func compareFeed(t *testing.T, w *world, atxs []recordedATX) {
	feed, err := read.ATXsAfter(t.Context(), w.db, 0, len(atxs)+1)
	require.NoError(t, err)
	require.Len(t, feed, len(atxs))
	for i := range feed {
		want := atxs[i].row()
		require.Equal(t, read.ATX{
			Seq: int64(i) + 1, ID: want.ID, PublishEpoch: want.PublishEpoch, Node: want.NodeID, Coinbase: want.Coinbase,
			Weight: want.Weight, BaseHeight: want.BaseHeight, Ticks: want.Ticks, VRFNonce: want.VRFNonce, Received: want.Received,
		}, feed[i])
	}
}

// What the recorded node verified in full is valid in full here, and so is all
// else: its network was honest.
func compareValidity(t *testing.T, w *world, atxs []recordedATX) {
	w.deps.Registry = nil // a second time
	work, err := w.assemble()
	require.NoError(t, err)
	var ids []wire.ATXID
	for i := range atxs {
		ids = append(ids, wire.ATXID(atxs[i].ID))
	}
	valid, err := work.intake.VerifyChains(t.Context(), ids, intake.Trust{}, false)
	require.NoError(t, err)
	for i, row := range rowsOf(t, w, atxs) {
		require.Equal(t, atx.ValidityValid, row.Validity, "%v", i)
	}
	require.NotContains(t, valid, false)
	for i := range atxs {
		require.NotEqual(t, atx.ValidityInvalid, atxs[i].Validity)
	}
}
