package blocks_test

import (
	"context"
	"crypto/ed25519"
	"embed"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/layerclock"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/proposal"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/blocks"
	"github.com/smeshery/smeshery/services/consensus/internal/db"
	"github.com/smeshery/smeshery/services/consensus/internal/engine"
	"github.com/smeshery/smeshery/services/consensus/internal/hare"
	"github.com/smeshery/smeshery/services/consensus/internal/signer"
)

//go:embed testdata/schemas
var schemas embed.FS

func neighbour(t testing.TB, name string) store.Schema {
	t.Helper()
	files, err := fs.Sub(schemas, "testdata/schemas/"+name)
	require.NoError(t, err)
	return store.Schema{Name: name, Parts: []store.Part{{Name: name, Files: files}}}
}

const (
	holder = "a"
	slots  = 250 // of each of two identities in standalone's epochs
	second = 2   // the first epoch with consensus
)

var beacon = wire.Beacon{1, 2, 3, 4}

// smesher is an identity of this node.
type smesher struct {
	seed   [32]byte
	id     wire.NodeID
	atx    wire.ATXID
	proofs map[wire.LayerID][]wire.VotingEligibility
	first  wire.BallotID
}

func (s *smesher) key() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(s.seed[:]) }

// world is an engine with a real database and bus and two identities, between
// neighbours that keep rows and sign.
type world struct {
	t        testing.TB
	params   network.Params
	genesis  wire.LayerID
	url      string
	server   *bus.Server
	db, rows *store.DB
	gossip   *bus.Conn
	now      atomic.Int64
	smeshers []*smesher

	engine    *engine.Engine
	worker    *blocks.Worker
	keys      *signer.Signer
	proposals *hare.Proposals
	charges   *hare.Charges
	listening atomic.Bool
	stop      func()

	mu         sync.Mutex
	optimistic []wire.InnerBlock
	executed   []bus.ExecuteRequest
	reverted   []wire.LayerID
	refuse     bool         // optimistic execution
	last       wire.LayerID // executed optimistically
	signed     map[string][]byte
	peers      []hare.Accepted // proposals that peers have
}

func newWorld(t testing.TB) *world {
	t.Helper()
	params := network.Standalone()
	params.Genesis.Time = time.Unix(1_700_000_000, 0)
	w := &world{t: t, params: params, genesis: params.FirstEffectiveGenesis(), signed: make(map[string][]byte)}
	w.url = storetest.URL(t, db.Schema(), neighbour(t, "activation"), neighbour(t, "state"))
	w.rows = storetest.Open(t, w.url, "")
	var err error
	w.server, err = bus.StartServer(bus.ServerConfig{Name: "test", StoreDir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(w.server.Stop)
	w.gossip = w.connect(bus.GossipService)
	require.NoError(t, bus.EnsureStreams(t.Context(), w.gossip, 1))
	w.exec("INSERT INTO state.layers VALUES ($1, $2, NULL)", int64(w.genesis), make([]byte, 20))
	w.listening.Store(true)
	w.enrol()
	w.state()
	w.activation()
	w.fetcher()
	w.at(w.genesis + 1)
	w.start()
	t.Cleanup(func() { w.stop() })
	w.vote()
	return w
}

func (w *world) connect(service string) *bus.Conn {
	w.t.Helper()
	c, err := bus.Connect(bus.Config{Service: service, Server: w.server}, bus.Deps{})
	require.NoError(w.t, err)
	w.t.Cleanup(c.Close)
	return c
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	_, err := w.rows.Exec(context.Background(), sql, args...)
	require.NoError(w.t, err)
}

func one[T any](w *world, sql string, args ...any) (v T) {
	w.t.Helper()
	require.NoError(w.t, w.rows.QueryRow(context.Background(), sql, args...).Scan(&v))
	return v
}

// at moves the clock into a layer.
func (w *world) at(layer wire.LayerID) {
	clock := layerclock.Clock{Genesis: w.params.Genesis.Time, LayerDuration: w.params.LayerDuration}
	w.now.Store(clock.Start(layer).UnixNano())
}

// enrol gives the node two identities of equal weight.
func (w *world) enrol() {
	w.t.Helper()
	for i := range 2 {
		s := &smesher{seed: [32]byte{byte(i + 1)}, atx: wire.ATXID{byte(i + 1)}}
		s.id = wire.NodeID(s.key().Public().(ed25519.PublicKey))
		proofs := make([]wire.VrfSignature, slots)
		for j := range proofs {
			proofs[j] = vrf.Prove(s.seed, proposal.SlotMessage(beacon, second, 3, uint32(j)))
		}
		s.proofs = proposal.Schedule(proofs, second, w.params.LayersPerEpoch)
		w.smeshers = append(w.smeshers, s)
		w.exec("INSERT INTO activation.atxs VALUES ($1, $2, 1, $3, $4, 100, 5, 10, 3, 0)", i+1, s.atx[:], s.id[:], make([]byte, 24))
		w.exec("INSERT INTO activation.lease VALUES ('identity/' || $1, 1, $2, 'infinity')", s.id.String(), holder+"/1")
	}
}

// vote stores the first ballots of the epoch, which name the active set and make
// the beacon known.
func (w *world) vote() {
	w.t.Helper()
	ctx := w.t.Context()
	set := wire.EpochActiveSet{Epoch: second}
	for _, s := range w.smeshers {
		set.Set = append(set.Set, s.atx)
	}
	j, err := w.engine.ActiveSets(ctx, []bus.FetchedObject{{Hash: set.Hash(), Body: codec.MustEncode(&set)}})
	require.NoError(w.t, err)
	require.Equal(w.t, bus.Accept, j[0].Verdict)
	for _, s := range w.smeshers {
		b := &wire.Ballot{
			InnerBallot: wire.InnerBallot{
				Layer: w.genesis + 1, AtxID: s.atx, OpinionHash: wire.HashATXList(nil),
				EpochData: &wire.EpochData{ActiveSetHash: set.Hash(), Beacon: beacon, EligibilityCount: slots},
			},
			SmesherID: s.id, EligibilityProofs: s.proofs[w.genesis+1],
		}
		b.Signature = w.sign(s, signing.Ballot, b.SignedBytes())
		s.first = b.ID()
		j, err := w.engine.SyncedBallot(ctx, codec.MustEncode(b), b.ID())
		require.NoError(w.t, err)
		require.Equal(w.t, bus.Accept, j.Verdict, "%s %s", j.Reason, j.Detail)
	}
}

func (w *world) sign(s *smesher, domain signing.Domain, body []byte) wire.EdSignature {
	id := w.params.Genesis.ID()
	return wire.EdSignature(ed25519.Sign(s.key(), slices.Concat(id[:], []byte{byte(domain)}, body)))
}

// propose gives the node a proposal of each identity.
func (w *world) propose(layer wire.LayerID, meshHash wire.Hash32, txs ...wire.TransactionID) (out []hare.Accepted) {
	for _, s := range w.smeshers {
		p := &wire.Proposal{
			Ballot: wire.Ballot{
				InnerBallot: wire.InnerBallot{Layer: layer, AtxID: s.atx, RefBallot: s.first},
				SmesherID:   s.id, EligibilityProofs: s.proofs[layer],
			},
			TxIDs: txs, MeshHash: meshHash,
		}
		out = append(out, hare.Accepted{Proposal: p, Beacon: beacon, Slots: slots})
	}
	return out
}

func (w *world) add(proposals []hare.Accepted) (ids []wire.ProposalID) {
	w.t.Helper()
	for _, a := range proposals {
		require.NoError(w.t, w.proposals.Add(a))
		ids = append(ids, a.Proposal.ID())
	}
	return ids
}

func idsOf(proposals []hare.Accepted) (ids []wire.ProposalID) {
	for _, a := range proposals {
		ids = append(ids, a.Proposal.ID())
	}
	return ids
}

// start opens the engine and runs a worker until stop.
func (w *world) start() {
	w.t.Helper()
	w.db = storetest.Open(w.t, w.url, "consensus")
	conn := w.connect(bus.ConsensusService)
	log, now := slog.New(slog.DiscardHandler), func() time.Time { return time.Unix(0, w.now.Load()) }
	var err error
	w.engine, err = engine.Open(w.t.Context(), w.params, engine.Deps{
		DB: w.db, Bus: conn, Log: log, Now: now, Costs: engine.NewCosts(prometheus.NewRegistry()), Wake: func() {},
	})
	require.NoError(w.t, err)
	w.keys = signer.New(w.db, conn, log)
	require.NoError(w.t, w.keys.Refresh(w.t.Context()))
	w.proposals, w.charges = hare.NewProposals(w.params.Tortoise.Zdist, w.genesis), new(hare.Charges)
	w.worker = blocks.New(w.params, blocks.Deps{
		DB: w.db, Bus: conn, Engine: w.engine, Keys: w.keys, Proposals: w.proposals, Charges: w.charges, Log: log,
		Listening: w.listening.Load,
	})
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() { _ = w.engine.Run(ctx) })
	group.Go(func() { _ = w.worker.Run(ctx) })
	w.stop = func() {
		cancel()
		group.Wait()
	}
}

// put hands hare's output to the worker, which then is in charge of the layer.
func (w *world) put(layer wire.LayerID, ids []wire.ProposalID) {
	w.charges.Take(layer)
	w.worker.Put(layer, ids)
}

// settled waits until the layer is released.
func (w *world) settled(layer wire.LayerID) {
	w.t.Helper()
	require.Eventually(w.t, func() bool { return !w.charges.Hold(layer) }, 30*time.Second, time.Millisecond)
}

// empty has a layer decided as empty.
func (w *world) empty(layer wire.LayerID) {
	w.t.Helper()
	w.at(layer)
	w.put(layer, nil)
	w.settled(layer)
}

// applied is the block that the state applied in a layer.
func (w *world) applied(layer wire.LayerID) (id wire.BlockID) {
	w.t.Helper()
	copy(id[:], one[[]byte](w, "SELECT applied_block FROM state.layers WHERE layer = $1", int64(layer)))
	return id
}

func (w *world) hash(layer wire.LayerID) wire.Hash32 {
	w.t.Helper()
	h, err := w.engine.AggregatedHash(w.t.Context(), layer)
	require.NoError(w.t, err)
	require.NotZero(w.t, h)
	return h
}

// certified waits for a layer's certificate.
func (w *world) certified(layer wire.LayerID) (block wire.BlockID, c *wire.Certificate) {
	w.t.Helper()
	require.Eventually(w.t, func() bool {
		rows, err := db.Certificates(w.t.Context(), w.db, layer)
		require.NoError(w.t, err)
		for _, r := range rows {
			if r.Valid && r.Certificate != nil {
				block, c = r.Block, r.Certificate
			}
		}
		return c != nil
	}, 30*time.Second, time.Millisecond)
	return block, c
}
