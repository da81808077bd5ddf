package seedtest

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/actor"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/state"
)

// World is a node around the seed's rows: the real state service with its mempool,
// and constants in the place of consensus and gossip.
type World struct {
	Seed *Seed
	// URL connects to the database as superuser.
	URL  string
	NATS *bus.Server
	// Synced is what consensus says of the node.
	Synced atomic.Bool

	tb testing.TB
}

// Start starts a world that ends with the test.
func Start(t testing.TB) *World {
	t.Helper()
	seed := Read(t)
	return start(t, seed, seed.Database(t))
}

// StartOn is Start with an empty database that the test brings.
func StartOn(t testing.TB, url string) *World {
	t.Helper()
	require.NoError(t, store.Migrate(t.Context(), url, Schemas()...))
	seed := Read(t)
	seed.fill(t, url)
	return start(t, seed, url)
}

func start(t testing.TB, seed *Seed, url string) *World {
	t.Helper()
	w := &World{Seed: seed, URL: url, tb: t}
	w.Synced.Store(w.Seed.Synced)
	var err error
	w.NATS, err = bus.StartServer(bus.ServerConfig{Name: "test", StoreDir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(w.NATS.Stop)
	require.NoError(t, bus.EnsureStreams(t.Context(), w.Connect(bus.ActivationService), 1))
	w.answer()
	w.runState()
	return w
}

// Connect is a connection as a service, closed with the test.
func (w *World) Connect(service string) *bus.Conn {
	w.tb.Helper()
	c, err := bus.Connect(bus.Config{Service: service, Server: w.NATS, Timeout: time.Minute}, bus.Deps{})
	require.NoError(w.tb, err)
	w.tb.Cleanup(c.Close)
	return c
}

// answer plays consensus and gossip.
func (w *World) answer() {
	q := bus.Queue{Length: 64, Full: actor.Refuse}
	_, err := bus.Serve(context.Background(), w.Connect(bus.ConsensusService), bus.ConsensusStatus(), q,
		func(context.Context, bus.None) (bus.ConsensusReply, error) {
			return bus.ConsensusReply{Current: wire.LayerID(w.Seed.CurrentLayer), Synced: w.Synced.Load()}, nil
		})
	require.NoError(w.tb, err)
	_, err = bus.Serve(context.Background(), w.Connect(bus.GossipService), bus.GossipStatus(), q,
		func(context.Context, bus.None) (bus.GossipReply, error) {
			return bus.GossipReply{Peers: uint32(w.Seed.PeerCount)}, nil
		})
	require.NoError(w.tb, err)
}

// runState runs the state service until the test ends.
func (w *World) runState() {
	s, err := state.New(state.Config{Network: w.Seed.Network()}, state.Deps{
		DB: storetest.Open(w.tb, w.URL, "state"), Bus: w.Connect(bus.StateService), Now: w.Seed.Now,
	})
	require.NoError(w.tb, err)
	Run(w.tb, s)
}

// Service is what every service package makes.
type Service interface {
	Run(ctx context.Context) error
	Ready() error
}

// Run runs a service until the test ends and returns when it is ready.
func Run(t testing.TB, s Service) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	require.Eventually(t, func() bool { return s.Ready() == nil || len(done) > 0 }, 30*time.Second, 2*time.Millisecond)
	require.NoError(t, s.Ready())
}
