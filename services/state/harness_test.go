package state_test

import (
	"context"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/wire"

	"github.com/smeshery/smeshery/services/state"
)

// activationSchema has the columns of activation's tables that state reads.
var activationSchema = store.Schema{Name: "activation", Parts: []store.Part{{Name: "atxs", Files: fstest.MapFS{
	"0001_init.up.sql": {Data: []byte(`CREATE TABLE atxs (
		seq bigint GENERATED ALWAYS AS IDENTITY, id bytea PRIMARY KEY, publish_epoch bigint NOT NULL, node_id bytea NOT NULL,
		coinbase bytea NOT NULL, weight bigint NOT NULL, base_height bigint NOT NULL, tick_count bigint NOT NULL,
		vrf_nonce bigint NOT NULL, received bigint NOT NULL)`)},
}}}}

// world is a database and a NATS server, in which services come and go.
type world struct {
	tb     testing.TB
	url    string
	nats   *bus.Server
	caller *bus.Conn
	net    network.Params
}

func newWorld(tb testing.TB, net network.Params) *world {
	tb.Helper()
	w := &world{tb: tb, net: net, url: storetest.URL(tb, state.Schema(), activationSchema)}
	var err error
	w.nats, err = bus.StartServer(bus.ServerConfig{Name: "test", StoreDir: tb.TempDir()})
	require.NoError(tb, err)
	tb.Cleanup(w.nats.Stop)
	w.caller = w.connect(bus.ConsensusService)
	return w
}

func (w *world) connect(service string) *bus.Conn {
	w.tb.Helper()
	c, err := bus.Connect(bus.Config{Service: service, Server: w.nats, Timeout: time.Minute}, bus.Deps{})
	require.NoError(w.tb, err)
	w.tb.Cleanup(c.Close)
	return c
}

// addATX puts an activation where the activation service would.
func (w *world) addATX(id wire.ATXID, publish wire.EpochID, node wire.NodeID, coinbase wire.Address) {
	w.tb.Helper()
	db := storetest.Open(w.tb, w.url, "activation")
	_, err := db.Exec(w.tb.Context(), `INSERT INTO atxs (id, publish_epoch, node_id, coinbase, weight, base_height, tick_count, vrf_nonce, received)
		VALUES ($1, $2, $3, $4, 0, 0, 0, 0, 0)`, id[:], int64(publish), node[:], coinbase[:])
	require.NoError(w.tb, err)
	db.Close()
}

// running is a service that runs.
type running struct {
	*state.Service
	db   *store.DB
	end  context.CancelFunc
	done chan error
}

// start runs a service until stop or the test's end, and waits until it serves.
func (w *world) start(change ...func(*state.Config)) *running {
	w.tb.Helper()
	cfg := state.Config{Network: w.net, LeaseTTL: 2 * time.Second}
	for _, f := range change {
		f(&cfg)
	}
	db := storetest.Open(w.tb, w.url, "state")
	service, err := state.New(cfg, state.Deps{DB: db, Bus: w.connect(bus.StateService)})
	require.NoError(w.tb, err)
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{Service: service, db: db, end: cancel, done: make(chan error, 1)}
	go func() { r.done <- service.Run(ctx) }()
	w.tb.Cleanup(func() { cancel() })
	require.Eventually(w.tb, func() bool { return service.Ready() == nil || len(r.done) > 0 }, 20*time.Second, 5*time.Millisecond)
	require.NoError(w.tb, service.Ready())
	return r
}

func (r *running) stop(tb testing.TB) {
	tb.Helper()
	r.end()
	require.NoError(tb, <-r.done)
	r.db.Close()
}

// sync offers an object under its hash.
func (w *world) sync(kind bus.Kind, hash wire.Hash32, body []byte) bus.Judgement {
	w.tb.Helper()
	j, err := bus.SyncIn(kind).Call(w.tb.Context(), w.caller, bus.FetchedObject{Hash: hash, Body: body})
	require.NoError(w.tb, err)
	return j
}

func (w *world) execute(layer wire.LayerID, block wire.BlockID) (bus.ExecuteReply, error) {
	return bus.Execute().Call(w.tb.Context(), w.caller, bus.ExecuteRequest{Layer: layer, Block: block})
}

func (w *world) revert(to wire.LayerID) (bus.RevertReply, error) {
	return bus.Revert().Call(w.tb.Context(), w.caller, bus.RevertRequest{To: to})
}
