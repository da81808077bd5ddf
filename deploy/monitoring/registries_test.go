package monitoring_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/telemetry"
	"github.com/smeshery/smeshery/services/activation"
	apigateway "github.com/smeshery/smeshery/services/api-gateway"
	"github.com/smeshery/smeshery/services/consensus"
	"github.com/smeshery/smeshery/services/gossip"
	"github.com/smeshery/smeshery/services/poet"
	postworker "github.com/smeshery/smeshery/services/post-worker"
	"github.com/smeshery/smeshery/services/state"
)

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

type service interface {
	Run(ctx context.Context) error
	Ready() error
}

// parts is what a service is given here.
type parts struct {
	t        *testing.T
	url      string
	server   *bus.Server
	registry *described
}

func (p parts) db(service, schema string) *store.DB {
	db, err := store.Open(p.t.Context(), store.Config{
		URL: p.url, Schema: schema, ReadOnly: schema == "", Metrics: p.registry, Service: service,
	})
	require.NoError(p.t, err)
	p.t.Cleanup(db.Close)
	return db
}

func (p parts) bus(service string) *bus.Conn {
	c, err := bus.Connect(bus.Config{Service: service, Server: p.server}, bus.Deps{Metrics: p.registry})
	require.NoError(p.t, err)
	p.t.Cleanup(c.Close)
	return c
}

// everyMetric runs all services of a network that begins in an hour until they
// are ready, and answers the names of all that they measure.
var everyMetric = func() func(t *testing.T) map[string]bool {
	var once sync.Once
	var names map[string]bool
	return func(t *testing.T) map[string]bool {
		once.Do(func() { names = measureAll(t) })
		require.NotEmpty(t, names)
		return names
	}
}()

func measureAll(t *testing.T) map[string]bool {
	names := make(map[string]bool)
	p := parts{t: t, url: storetest.URL(t, activation.Schema(), consensus.Schema(), poet.Schema(), state.Schema())}
	var err error
	p.server, err = bus.StartServer(bus.ServerConfig{StoreDir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(p.server.Stop)
	p.registry = &described{prometheus.NewRegistry(), names}
	setup, err := bus.Connect(bus.Config{Service: bus.GossipService, Server: p.server}, bus.Deps{})
	require.NoError(t, err)
	defer setup.Close()
	require.NoError(t, bus.EnsureStreams(t.Context(), setup, 1))

	net := network.Standalone()
	net.Genesis.Time = time.Now().Add(time.Hour).Truncate(time.Second)
	all := p.services(net)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var group errgroup.Group
	for _, s := range all {
		group.Go(func() error { return s.Run(ctx) })
	}
	for _, s := range all {
		require.Eventually(t, func() bool { return s.Ready() == nil }, 30*time.Second, time.Millisecond, "%T", s)
	}
	stop()
	require.NoError(t, group.Wait())

	process := &described{prometheus.NewRegistry(), names}
	process.MustRegister(telemetry.NewDisks(map[string]string{"data": t.TempDir()}))
	families, err := telemetry.NewProcessRegistry("test").Gather()
	require.NoError(t, err)
	for _, f := range families {
		names[f.GetName()] = true
	}
	return names
}

func (p parts) services(net network.Params) []service {
	t := p.t
	log := slog.New(slog.DiscardHandler)
	var all []service
	add := func(s service, err error) {
		require.NoError(t, err)
		all = append(all, s)
	}
	g, err := gossip.New(gossip.Config{}, gossip.Deps{Bus: p.bus(bus.GossipService), Log: log, Registry: p.registry})
	add(g, err)
	poets, err := poet.New(poet.Config{Network: net, Listen: "127.0.0.1:0", Dir: t.TempDir()},
		poet.Deps{DB: p.db(bus.PoetService, "poet"), Log: log, Registry: p.registry})
	add(poets, err)
	a, err := activation.New(activation.Config{
		Network: net, Seed: []byte("seed"), LocalSpace: true, PostServices: activation.PostServices{Plain: "127.0.0.1:0"},
	}, activation.Deps{
		DB: p.db(bus.ActivationService, "activation"), Bus: p.bus(bus.ActivationService), Log: log, Registry: p.registry, Clock: systemClock{},
	})
	add(a, err)
	w, err := postworker.New(postworker.Config{Network: net, DataDir: t.TempDir()},
		postworker.Deps{Bus: p.bus(bus.PostWorkerService), Log: log, Registry: p.registry})
	add(w, err)
	st, err := state.New(state.Config{Network: net}, state.Deps{
		DB: p.db(bus.StateService, "state"), Bus: p.bus(bus.StateService), Log: log, Metrics: p.registry, Now: time.Now,
	})
	add(st, err)
	c, err := consensus.New(consensus.Config{Network: net, Live: true, Standalone: true}, consensus.Deps{
		DB: p.db(bus.ConsensusService, "consensus"), Bus: p.bus(bus.ConsensusService), Log: log, Registry: p.registry, Now: time.Now,
	})
	add(c, err)
	api := apigateway.DefaultConfig()
	api.Network = net
	api.PublicListener, api.PrivateListener, api.JSONListener = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	gateway, err := apigateway.New(api, apigateway.Deps{
		DB: p.db(bus.APIService, ""), Bus: p.bus(bus.APIService), Log: log, Registry: p.registry, Now: time.Now,
	})
	add(gateway, err)
	return all
}
