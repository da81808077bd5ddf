package consensus_test

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/actor"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/layerclock"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus"
)

//go:embed testdata/schemas
var schemas embed.FS

// neighbour is the part of another service's tables that consensus reads.
func neighbour(t testing.TB, name string) store.Schema {
	t.Helper()
	files, err := fs.Sub(schemas, "testdata/schemas/"+name)
	require.NoError(t, err)
	return store.Schema{Name: name, Parts: []store.Part{{Name: name, Files: files}}}
}

// world is a consensus service with a real database and bus, between
// neighbours that only keep rows.
type world struct {
	t       testing.TB
	params  network.Params
	server  *bus.Server
	url     string
	db      *store.DB // consensus's own
	rows    *store.DB // may write the neighbours' rows
	gossip  *bus.Conn
	now     atomic.Int64
	accused chan wire.NodeID

	mu        sync.Mutex
	executed  []bus.ExecuteRequest
	reverted  []wire.LayerID
	stop      context.CancelFunc
	ended     chan error
	seq       int64
	genesis   wire.LayerID
	requester context.Context
	registry  *prometheus.Registry
}

func newWorld(t testing.TB, params network.Params) *world {
	t.Helper()
	w := &world{t: t, params: params, accused: make(chan wire.NodeID, 16), genesis: params.FirstEffectiveGenesis()}
	w.url = storetest.URL(t, consensus.Schema(), neighbour(t, "activation"), neighbour(t, "state"))
	w.rows = storetest.Open(t, w.url, "")
	var err error
	w.server, err = bus.StartServer(bus.ServerConfig{Name: "test", StoreDir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(w.server.Stop)
	w.gossip = w.connect(bus.GossipService)
	w.requester = context.Background()
	w.exec("INSERT INTO state.layers VALUES ($1, $2, NULL)", int64(w.genesis), make([]byte, 20))
	w.neighbours()
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

// neighbours answers for state and activation.
func (w *world) neighbours() {
	w.t.Helper()
	ctx, q := context.Background(), bus.Queue{Length: 64, Full: actor.Refuse}
	state := w.connect(bus.StateService)
	_, err := bus.Serve(ctx, state, bus.Execute(), q, func(ctx context.Context, r bus.ExecuteRequest) (bus.ExecuteReply, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.executed = append(w.executed, r)
		_, err := w.rows.Exec(ctx, "INSERT INTO state.layers VALUES ($1, $2, NULL)", int64(r.Layer), r.Block[:])
		return bus.ExecuteReply{}, err
	})
	require.NoError(w.t, err)
	_, err = bus.Serve(ctx, state, bus.Revert(), q, func(ctx context.Context, r bus.RevertRequest) (bus.RevertReply, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.reverted = append(w.reverted, r.To)
		_, err := w.rows.Exec(ctx, "DELETE FROM state.layers WHERE layer > $1", int64(r.To))
		return bus.RevertReply{}, err
	})
	require.NoError(w.t, err)
	_, err = bus.Serve(ctx, w.connect(bus.ActivationService), bus.GossipIn(bus.TopicMalfeasance), q,
		func(_ context.Context, m bus.PeerMessage) (bus.Judgement, error) {
			var g wire.MalfeasanceGossip
			if err := codec.Decode(m.Body, &g); err != nil {
				return bus.Judgement{}, err
			}
			w.accused <- g.Data.MaliciousID()
			return bus.Judgement{Verdict: bus.Accept}, nil
		})
	require.NoError(w.t, err)
}

// service makes a service that does not run yet.
func (w *world) service() *consensus.Service {
	w.t.Helper()
	w.db = storetest.Open(w.t, w.url, "consensus")
	w.registry = prometheus.NewRegistry()
	s, err := consensus.New(consensus.Config{Network: w.params}, consensus.Deps{
		DB: w.db, Bus: w.connect(bus.ConsensusService), Log: slog.New(slog.DiscardHandler), Registry: w.registry,
		Now: func() time.Time { return time.Unix(0, w.now.Load()) },
	})
	require.NoError(w.t, err)
	return s
}

// start runs a service until stopService.
func (w *world) start() {
	w.t.Helper()
	s := w.service()
	ctx, cancel := context.WithCancel(context.Background())
	w.stop, w.ended = cancel, make(chan error, 1)
	go func() { w.ended <- s.Run(ctx) }()
	require.Eventually(w.t, func() bool { return s.Ready() == nil || len(w.ended) > 0 }, time.Minute, time.Millisecond)
	require.Empty(w.t, w.ended, "the service ended at once")
}

func (w *world) stopService() {
	w.t.Helper()
	w.stop()
	require.NoError(w.t, <-w.ended)
}

// at moves the clock to the middle of a layer.
func (w *world) at(layer wire.LayerID) {
	clock := layerclock.Clock{Genesis: w.params.Genesis.Time, LayerDuration: w.params.LayerDuration}
	w.now.Store(clock.Start(layer).Add(w.params.LayerDuration / 2).UnixNano())
}

func (w *world) addATX(a activation.ATX) {
	w.t.Helper()
	w.seq++
	w.exec("INSERT INTO activation.atxs VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
		w.seq, a.ID[:], int64(a.PublishEpoch), a.Node[:], a.Coinbase[:], int64(a.Weight), int64(a.BaseHeight),
		int64(a.Ticks), int64(a.VRFNonce), a.Received)
}

func (w *world) addBlock(blob []byte) {
	w.t.Helper()
	var b wire.Block
	require.NoError(w.t, codec.Decode(blob, &b))
	id := b.ID()
	w.seq++
	w.exec("INSERT INTO state.blocks VALUES ($1, $2, $3, $4, $5)", w.seq, id[:], int64(b.LayerIndex), int64(b.TickHeight), blob)
}

func (w *world) offer(kind bus.Kind, hash wire.Hash32, body []byte) bus.Judgement {
	w.t.Helper()
	j, err := bus.SyncIn(kind).Call(w.requester, w.gossip, bus.FetchedObject{Hash: hash, Body: body})
	require.NoError(w.t, err)
	return j
}

func (w *world) tell(n bus.LayerNews) bus.Judgement {
	w.t.Helper()
	j, err := bus.TellLayer().Call(w.requester, w.gossip, n)
	require.NoError(w.t, err)
	return j
}

func (w *world) process(layer wire.LayerID) bus.ProcessReply {
	w.t.Helper()
	r, err := bus.ProcessLayer().Call(w.requester, w.gossip, bus.ProcessRequest{Layer: layer})
	require.NoError(w.t, err)
	return r
}
