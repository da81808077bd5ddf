package proposing

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/atx/atxcache"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/db"
)

// activationSchema is what is read of activation's tables.
var activationSchema = store.Schema{Name: "activation", Parts: []store.Part{{Name: "atxs", Files: fstest.MapFS{
	"0001_init.up.sql": {Data: []byte(`
		CREATE TABLE atxs (seq bigint NOT NULL, id bytea PRIMARY KEY, publish_epoch bigint NOT NULL, node_id bytea NOT NULL,
			weight bigint NOT NULL, effective_units bigint NOT NULL, vrf_nonce bigint NOT NULL, received bigint NOT NULL);
		CREATE TABLE malicious (node_id bytea PRIMARY KEY, received bigint NOT NULL)`)},
}}}}

// world is a node with identities that hold an ATX for each of the first epochs
// (Node, Signer).
type world struct {
	tb     testing.TB
	params network.Params
	db     *store.DB
	root   *store.DB // may write everything
	now    time.Time

	ids    []wire.NodeID
	seeds  map[wire.NodeID][32]byte
	beacon *wire.Beacon
	// refuse keeps identities from signing.
	refuse map[wire.NodeID]bool
	proved int
	mesh   wire.Hash32
	pool   int // transactions in the mempool
	mu     sync.Mutex
	asked  []bus.SelectRequest
}

func newWorld(tb testing.TB, params network.Params, identities int) *world {
	tb.Helper()
	params.Genesis.Time = time.Unix(1_700_000_000, 0)
	url := storetest.URL(tb, db.Schema(), activationSchema)
	w := &world{
		tb: tb, params: params, db: storetest.Open(tb, url, "consensus"), root: storetest.Open(tb, url, ""),
		seeds: make(map[wire.NodeID][32]byte), refuse: make(map[wire.NodeID]bool), beacon: &wire.Beacon{1, 2, 3, 4},
	}
	w.at(params.FirstLayer(2))
	for i := range identities {
		var seed [32]byte
		binary.BigEndian.PutUint32(seed[:], uint32(i+1))
		id := wire.NodeID(ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey))
		w.ids, w.seeds[id] = append(w.ids, id), seed
		w.activate(id, 2, -time.Hour)
	}
	return w
}

func (w *world) at(layer wire.LayerID) {
	w.now = w.params.Genesis.Time.Add(time.Duration(layer) * w.params.LayerDuration)
}

func atxOf(id wire.NodeID, target wire.EpochID) wire.ATXID {
	return wire.ATXID(wire.Sum(id[:], []byte{byte(target)}))
}

// activate stores an ATX that came at a time relative to the epoch's start.
func (w *world) activate(id wire.NodeID, target wire.EpochID, received time.Duration) {
	w.tb.Helper()
	atx := atxOf(id, target)
	start := w.params.Genesis.Time.Add(time.Duration(w.params.FirstLayer(target)) * w.params.LayerDuration)
	_, err := w.root.Exec(w.tb.Context(), "INSERT INTO activation.atxs SELECT count(*), $1, $2, $3, 100, 4, 3, $4 FROM activation.atxs",
		atx[:], int64(target-1), id[:], start.Add(received).UnixNano())
	require.NoError(w.tb, err)
}

func (w *world) builder(alone bool) *Builder {
	return New(w.params, Deps{
		DB: w.db, Node: w, Signer: w, Log: slog.New(slog.DiscardHandler), Metrics: NewMetrics(prometheus.NewRegistry()),
		Now: func() time.Time { return w.now }, Wake: func() {}, Alone: alone,
		Select: func(_ context.Context, r bus.SelectRequest) (bus.SelectReply, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.asked = append(w.asked, r)
			return bus.SelectReply{Transactions: make([]wire.TransactionID, min(w.pool, int(r.Count)))}, nil
		},
	})
}

// BeaconOf is Node.
func (w *world) BeaconOf(wire.EpochID) (b wire.Beacon, ok bool) {
	if w.beacon == nil {
		return b, false
	}
	return *w.beacon, true
}

// OwnATXs is Node.
func (w *world) OwnATXs(target wire.EpochID, ids []wire.NodeID) map[wire.NodeID]atxcache.Entry {
	out := make(map[wire.NodeID]atxcache.Entry)
	if target == 2 {
		for _, id := range ids {
			out[id] = atxcache.Entry{ID: atxOf(id, target), NodeID: id, Weight: 100, Nonce: 3}
		}
	}
	return out
}

// Opinion is Node.
func (w *world) Opinion(context.Context, wire.LayerID) (*wire.Opinion, wire.Hash32, error) {
	return &wire.Opinion{Hash: wire.Hash32{7}}, w.mesh, nil
}

// FirstBlockSet is Node.
func (w *world) FirstBlockSet(context.Context, wire.EpochID) ([]wire.ATXID, error) { return nil, nil }

// Write is Node.
func (w *world) Write(ctx context.Context, f func(pgx.Tx) error) error {
	return store.RetryTx(ctx, w.db, f)
}

// Identities is Signer.
func (w *world) Identities() []wire.NodeID { return slices.Clone(w.ids) }

// Sign is Signer.
func (w *world) Sign(_ context.Context, items []bus.SignItem) []bus.SignResult {
	genesis := w.params.Genesis.ID()
	out := make([]bus.SignResult, len(items))
	for i := range items {
		if w.refuse[items[i].NodeID] {
			out[i] = bus.SignResult{Outcome: bus.SignRefused, Reason: "conflict"}
			continue
		}
		seed := w.seeds[items[i].NodeID]
		message := append(append(genesis[:], items[i].Domain), items[i].Body...)
		out[i] = bus.SignResult{Outcome: bus.Signed, Signature: wire.EdSignature(ed25519.Sign(ed25519.NewKeyFromSeed(seed[:]), message))}
	}
	return out
}

// Prove is Signer.
func (w *world) Prove(_ context.Context, items []bus.VRFItem) []bus.VRFResult {
	w.proved += len(items)
	out := make([]bus.VRFResult, len(items))
	for i := range items {
		if !w.refuse[items[i].NodeID] {
			out[i] = bus.VRFResult{Outcome: bus.Signed, Proof: vrf.Prove(w.seeds[items[i].NodeID], items[i].Message)}
		}
	}
	return out
}

// proposals reads what was handed over to be published.
func (w *world) proposals() (out []*wire.Proposal) {
	w.tb.Helper()
	rows, err := w.db.Query(w.tb.Context(), "SELECT body FROM outbox WHERE subject = $1 ORDER BY id", bus.GossipOut(bus.TopicProposal).Subject())
	require.NoError(w.tb, err)
	bodies, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	require.NoError(w.tb, err)
	for _, body := range bodies {
		p := new(wire.Proposal)
		require.NoError(w.tb, codec.Decode(body, p))
		out = append(out, p)
	}
	return out
}

// publish stores the ballots of proposals, as the node does when gossip brings
// them back.
func (w *world) publish(proposals []*wire.Proposal) {
	w.tb.Helper()
	var rows []db.Ballot
	for _, p := range proposals {
		rows = append(rows, db.Ballot{
			ID: p.Ballot.ID(), Layer: p.Layer, Atx: p.AtxID, Node: p.SmesherID, Signature: p.Ballot.Signature, Blob: codec.MustEncode(&p.Ballot),
		})
	}
	require.NoError(w.tb, db.InsertBallots(w.tb.Context(), w.db, rows))
}
