package activation

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/wire"
)

// clock stands still until it is moved.
type clock struct{ at atomic.Int64 }

func (c *clock) Now() time.Time { return time.Unix(0, c.at.Load()) }

// world is a running service with a real database and bus, and a connection
// that is gossip's.
type world struct {
	*Service
	clock    *clock
	db       *store.DB
	url      string
	gossip   *bus.Conn
	server   *bus.Server
	registry *prometheus.Registry
	stop     func()
}

type setup struct {
	config  Config
	deps    Deps
	prepare func(*Service)
	url     string
}

func start(t testing.TB, params network.Params, change func(*setup)) *world {
	t.Helper()
	w := &world{clock: new(clock), registry: prometheus.NewRegistry()}
	w.clock.at.Store(params.Genesis.Time.UnixNano())
	set := setup{config: Config{Network: params, Seed: []byte("seed")}, prepare: func(*Service) {}}
	if change != nil {
		change(&set)
	}
	if w.url = set.url; w.url == "" {
		w.url = storetest.URL(t, Schema())
	}
	w.db = storetest.Open(t, w.url, "activation")
	var err error
	w.server, err = bus.StartServer(bus.ServerConfig{StoreDir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(w.server.Stop)
	own := connect(t, w.server, bus.ActivationService)
	require.NoError(t, bus.EnsureStreams(t.Context(), own, 1))
	w.gossip = connect(t, w.server, bus.GossipService)
	set.deps.DB, set.deps.Bus, set.deps.Log = w.db, own, slog.New(slog.DiscardHandler)
	set.deps.Registry, set.deps.Clock = w.registry, w.clock
	w.Service, err = New(set.config, set.deps)
	require.NoError(t, err)
	set.prepare(w.Service)
	w.run(t)
	return w
}

func (w *world) run(t testing.TB) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	stopped := false
	w.stop = func() {
		if !stopped {
			stopped = true
			cancel()
			require.NoError(t, <-ended)
		}
	}
	t.Cleanup(func() { w.stop() })
	require.Eventually(t, func() bool { return w.Ready() == nil }, 20*time.Second, time.Millisecond)
}

func connect(t testing.TB, server *bus.Server, service string) *bus.Conn {
	conn, err := bus.Connect(bus.Config{Service: service, Server: server, Timeout: time.Minute}, bus.Deps{})
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	return conn
}

// sync offers an object as gossip does after it fetched it.
func (w *world) sync(t testing.TB, kind bus.Kind, hash wire.Hash32, body []byte) bus.Judgement {
	j, err := bus.SyncIn(kind).Call(t.Context(), w.gossip, bus.FetchedObject{Peer: "peer", Hash: hash, Body: body})
	require.NoError(t, err)
	return j
}
