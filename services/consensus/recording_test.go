package consensus_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/wire"
)

type (
	atxRow struct {
		ID           vectors.Hex  `json:"id"`
		PublishEpoch wire.EpochID `json:"publish_epoch"`
		NodeID       vectors.Hex  `json:"node_id"`
		ReceivedNS   int64        `json:"received_ns"`
		Weight       uint64       `json:"weight"`
		Base         uint64       `json:"base_tick_height"`
		Ticks        uint64       `json:"tick_count"`
		Nonce        uint64       `json:"vrf_nonce"`
		Coinbase     vectors.Hex  `json:"coinbase"`
	}
	objectRow struct {
		ID       vectors.Hex  `json:"id"`
		Layer    wire.LayerID `json:"layer"`
		Validity *int         `json:"validity"`
		Blob     vectors.Hex  `json:"blob"`
	}
	certificateRow struct {
		Layer wire.LayerID `json:"layer"`
		Block vectors.Hex  `json:"block"`
		Blob  vectors.Hex  `json:"blob"`
	}
	layerRow struct {
		Layer     wire.LayerID `json:"layer"`
		Coin      *int         `json:"weak_coin"`
		Processed int          `json:"processed"`
		Applied   vectors.Hex  `json:"applied_block"`
		Hash      vectors.Hex  `json:"aggregated_hash"`
	}
	beaconRow struct {
		Epoch  wire.EpochID `json:"epoch"`
		Beacon vectors.Hex  `json:"beacon"`
	}
)

// recorded is a recording as far as consensus is concerned.
type recorded struct {
	params       network.Params
	atxs         []atxRow
	ballots      map[wire.LayerID][]objectRow
	blocks       map[wire.LayerID][]objectRow
	certificates map[wire.LayerID][]certificateRow
	layers       []layerRow
	beacons      []beaconRow
	sets         []objectRow
}

func byLayer[T any](rows []T, layer func(T) wire.LayerID) map[wire.LayerID][]T {
	out := make(map[wire.LayerID][]T)
	for _, row := range rows {
		out[layer(row)] = append(out[layer(row)], row)
	}
	return out
}

func readRecording(t testing.TB, name string) *recorded {
	t.Helper()
	m := vectors.ReadManifest(t, name)
	params, err := network.Preset(m.Preset)
	require.NoError(t, err)
	params.Genesis.Time, params.Genesis.ExtraData = m.GenesisTime, m.ExtraData
	object := func(r objectRow) wire.LayerID { return r.Layer }
	return &recorded{
		params:       params,
		atxs:         vectors.Rows[atxRow](t, name, "atxs"),
		ballots:      byLayer(vectors.Rows[objectRow](t, name, "ballots"), object),
		blocks:       byLayer(vectors.Rows[objectRow](t, name, "blocks"), object),
		certificates: byLayer(vectors.Rows[certificateRow](t, name, "certificates"), func(r certificateRow) wire.LayerID { return r.Layer }),
		layers:       vectors.Rows[layerRow](t, name, "layers"),
		beacons:      vectors.Rows[beaconRow](t, name, "beacons"),
		sets:         vectors.Rows[objectRow](t, name, "activesets"),
	}
}

func (r *recorded) feedBase(w *world) {
	for _, a := range r.atxs {
		w.addATX(activation.ATX{
			ID: wire.ATXID(a.ID), PublishEpoch: a.PublishEpoch, Node: wire.NodeID(a.NodeID), Coinbase: wire.Address(a.Coinbase),
			Weight: a.Weight, BaseHeight: a.Base, Ticks: a.Ticks, VRFNonce: a.Nonce, Received: a.ReceivedNS,
		})
	}
	for _, s := range r.sets {
		require.Equal(w.t, bus.Accept, w.offer(bus.KindActiveSet, wire.Hash32(s.ID), s.Blob).Verdict)
	}
}

// feed gives a layer to the service and processes it.
func (r *recorded) feed(w *world, l layerRow) {
	w.t.Helper()
	w.at(l.Layer)
	for _, b := range r.ballots[l.Layer] {
		j := w.offer(bus.KindBallot, wire.Hash32(b.ID), b.Blob)
		require.Equal(w.t, bus.Accept, j.Verdict, "ballot %s of layer %d: %s %s", b.ID, l.Layer, j.Reason, j.Detail)
	}
	for _, b := range r.blocks[l.Layer] {
		w.addBlock(b.Blob)
	}
	for _, c := range r.certificates[l.Layer] {
		news := bus.LayerNews{Layer: l.Layer, Certificate: c.Blob}
		if c.Blob == nil {
			id := wire.BlockID(c.Block)
			news.Output = &id
		}
		j := w.tell(news)
		require.Equal(w.t, bus.Accept, j.Verdict, "certificate of layer %d: %s %s", l.Layer, j.Reason, j.Detail)
	}
	if l.Coin != nil {
		coin := *l.Coin == 1
		w.tell(bus.LayerNews{Layer: l.Layer, Coin: &coin})
	}
	require.Empty(w.t, w.process(l.Layer).Missing)
}

// compare checks what the service made of the recording.
func (r *recorded) compare(w *world) {
	w.t.Helper()
	ctx := context.Background()
	compared := 0
	for _, l := range r.layers {
		if l.Hash == nil || l.Layer <= w.genesis {
			continue
		}
		var hash, applied []byte
		require.NoError(w.t, w.rows.QueryRow(ctx, "SELECT aggregated_hash FROM consensus.layers WHERE layer = $1", int64(l.Layer)).Scan(&hash))
		require.Equal(w.t, l.Hash.String(), vectors.Hex(hash).String(), "aggregated hash of layer %d", l.Layer)
		require.NoError(w.t, w.rows.QueryRow(ctx, "SELECT applied_block FROM state.layers WHERE layer = $1", int64(l.Layer)).Scan(&applied))
		require.Equal(w.t, l.Applied.String(), vectors.Hex(applied).String(), "applied block of layer %d", l.Layer)
		compared++
	}
	require.Positive(w.t, compared)
	for _, blocks := range r.blocks {
		for _, b := range blocks {
			if b.Validity == nil {
				continue
			}
			var valid bool
			require.NoError(w.t, w.rows.QueryRow(ctx, "SELECT valid FROM consensus.block_validity WHERE block = $1", []byte(b.ID[:20])).Scan(&valid), "validity of block %s in layer %d", b.ID, b.Layer)
			require.Equal(w.t, *b.Validity == 1, valid, "validity of block %s in layer %d", b.ID, b.Layer)
		}
	}
	var voted wire.EpochID
	for layer := range r.ballots {
		voted = max(voted, r.params.Epoch(layer))
	}
	for _, b := range r.beacons {
		if b.Epoch > voted {
			continue // the protocol made it, and no ballot speaks for it yet
		}
		var beacon []byte
		require.NoError(w.t, w.rows.QueryRow(ctx, "SELECT beacon FROM consensus.beacons WHERE epoch = $1", int64(b.Epoch)).Scan(&beacon), "beacon of epoch %d", b.Epoch)
		require.Equal(w.t, b.Beacon.String(), vectors.Hex(beacon).String())
	}
}

func TestARecordedNetworkComesOutTheSame(t *testing.T) {
	for _, name := range vectors.Recordings(t) {
		t.Run(name, func(t *testing.T) {
			r := readRecording(t, name)
			w := newWorld(t, r.params)
			w.at(w.genesis)
			w.start()
			r.feedBase(w)
			for _, l := range r.layers {
				if l.Layer > w.genesis {
					r.feed(w, l)
				}
			}
			w.stopService()
			r.compare(w)
			require.Empty(t, w.reverted)
		})
	}
}

// A service that is restarted after every layer comes to the same end: what it
// knows is in rows.
func TestARestartAfterEveryLayerChangesNothing(t *testing.T) {
	for _, name := range vectors.Recordings(t) {
		t.Run(name, func(t *testing.T) {
			r := readRecording(t, name)
			w := newWorld(t, r.params)
			w.at(w.genesis)
			w.start()
			r.feedBase(w)
			for _, l := range r.layers {
				if l.Layer > w.genesis {
					r.feed(w, l)
					w.stopService()
					w.start()
				}
			}
			w.stopService()
			r.compare(w)
		})
	}
}

// The tally of beacons survives a restart: half of the ballots that make one
// come before it, half after.
func TestARestartWhileBallotsMakeABeacon(t *testing.T) {
	r := readRecording(t, vectors.Recordings(t)[0])
	first := r.layers[0].Layer
	for len(r.ballots[first]) == 0 {
		first++
	}
	ballots := r.ballots[first]
	proofs := 0
	for _, b := range ballots {
		var decoded wire.Ballot
		require.NoError(t, codec.Decode(b.Blob, &decoded))
		proofs += len(decoded.EligibilityProofs)
	}
	r.params.Beacon.SyncWeightUnits = uint32(proofs)
	w := newWorld(t, r.params)
	w.at(first)
	w.start()
	r.feedBase(w)
	beacons := func() (n int) {
		require.NoError(t, w.rows.QueryRow(context.Background(), "SELECT count(*) FROM consensus.beacons").Scan(&n))
		return n
	}
	for i, b := range ballots {
		require.Zero(t, beacons())
		require.Equal(t, bus.Accept, w.offer(bus.KindBallot, wire.Hash32(b.ID), b.Blob).Verdict)
		if i == len(ballots)/2 {
			w.stopService()
			w.start()
		}
	}
	require.Equal(t, 1, beacons())
	w.stopService()
}

func TestAForeignDatabaseIsRefused(t *testing.T) {
	w := newWorld(t, network.Fastnet())
	w.start()
	w.stopService()
	w.params.Genesis.Time = time.Unix(1, 0)
	s := w.service()
	require.ErrorContains(t, s.Run(t.Context()), "belongs to another network")
}
