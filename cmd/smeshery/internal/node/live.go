package node

import (
	"context"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/telemetry"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation"
	apigateway "github.com/smeshery/smeshery/services/api-gateway"
	"github.com/smeshery/smeshery/services/consensus"
	"github.com/smeshery/smeshery/services/gossip"
	"github.com/smeshery/smeshery/services/poet"
	postworker "github.com/smeshery/smeshery/services/post-worker"
	"github.com/smeshery/smeshery/services/state"
)

// Live is what a node needs to take part in its network.
type Live struct {
	// Standalone says that this node is the whole network.
	Standalone bool
	// Name tells this process from others that run the same service; empty is the
	// only process of each.
	Name string
	// Identities is the directory of key files.
	Identities string
	// Coinbase receives the rewards of all identities.
	Coinbase wire.Address
	// Units is the size of data that is made for identities without any; 0 is the
	// network's minimum.
	Units uint32
	// PoETs are the addresses to register at.
	PoETs []string
	// PoetListen and PoetRPC are where the PoET of this process listens.
	PoetListen, PoetRPC string
	// PoetDir and PostDir hold the work of PoET rounds and the data of identities.
	PoetDir, PostDir string
	// PostServices are the listeners for post-services of other machines.
	PostServices activation.PostServices
	// Stop ends the process when an operator asks for it over the API; may be nil.
	Stop func()
	// API has the listeners of the gateway; its Network is filled in.
	API apigateway.Config
	// Admin is where metrics, health and profiles are served; empty: nowhere.
	Admin string
	// Version is told by metrics and API.
	Version string
}

// sole is the lease instance of a process that a directory's lock keeps alone.
func (c *Config) sole() string {
	if c.NATSURL == "" && c.DatabaseURL == "" {
		return "sole"
	}
	return ""
}

// holder is the name of this process among those of a service. It is a token of
// subjects.
func (c *Config) holder(service string) string {
	if c.Live.Name == "" {
		return service
	}
	return c.Live.Name
}

// connections is how many connections to Postgres a service may have. One machine's
// services are many and small.
func (l *Live) connections() int { return 8 }

// live are the services of a node that takes part, in the order of their start.
func live() []module {
	return []module{
		{name: bus.GossipService, noDatabase: true, build: func(_ Config, w wiring) (service, error) {
			return gossip.New(gossip.Config{}, gossip.Deps{Bus: w.bus, Log: w.log, Registry: w.registry})
		}},
		{name: bus.PoetService, schema: poet.Schema(), build: func(cfg Config, w wiring) (service, error) {
			return poet.New(poet.Config{
				Network: cfg.Network, Listen: cfg.Live.PoetListen, ListenRPC: cfg.Live.PoetRPC, Dir: cfg.Live.PoetDir, Nice: 10,
				Holder: cfg.holder(bus.PoetService), Instance: cfg.sole(), LeaseTTL: leaseTTL,
			}, poet.Deps{DB: w.db, Log: w.log, Registry: w.registry, Now: cfg.Now})
		}},
		{name: bus.ActivationService, schema: activation.Schema(), build: func(cfg Config, w wiring) (service, error) {
			return activation.New(activationConfig(&cfg), activation.Deps{
				DB: w.db, Bus: w.bus, Log: w.log, Registry: w.registry, Clock: clock(cfg.Now), Pow: w.pow,
			})
		}},
		{name: bus.PostWorkerService, noDatabase: true, build: func(cfg Config, w wiring) (service, error) {
			deps := postworker.Deps{Bus: w.bus, Log: w.log, Registry: w.registry}
			if easy(&cfg.Network) {
				deps.Pow = w.pow
			}
			return postworker.New(workerConfig(&cfg), deps)
		}},
		{name: bus.StateService, schema: state.Schema(), build: func(cfg Config, w wiring) (service, error) {
			return state.New(state.Config{
				Network: cfg.Network, Instance: cfg.holder(bus.StateService), Sole: cfg.sole(), LeaseTTL: leaseTTL,
			}, state.Deps{DB: w.db, Bus: w.bus, Log: w.log, Metrics: w.registry, Now: cfg.Now})
		}},
		{name: bus.ConsensusService, schema: consensus.Schema(), build: func(cfg Config, w wiring) (service, error) {
			return consensus.New(consensus.Config{
				Network: cfg.Network, Live: true, Standalone: cfg.Live.Standalone,
				Holder: cfg.holder(bus.ConsensusService), Exclusive: cfg.sole() != "", LeaseTTL: leaseTTL,
			}, consensus.Deps{DB: w.db, Bus: w.bus, Log: w.log, Registry: w.registry, Now: cfg.Now})
		}},
		{name: bus.APIService, build: func(cfg Config, w wiring) (service, error) {
			api := cfg.Live.API
			api.Network, api.Version = cfg.Network, cfg.Live.Version
			return apigateway.New(api, apigateway.Deps{
				DB: w.db, Bus: w.bus, Log: w.log, Registry: w.registry, Now: cfg.Now, Levels: w.levels, Stop: cfg.Live.Stop,
			})
		}},
	}
}

// easy tells whether proofs of work take some hashes only, so that the verifiers'
// small RandomX does for them.
func easy(n *network.Params) bool { return n.Post.PowDifficulty[0] >= 0x10 }

// workerLost is how long a worker of this machine may be silent.
const workerLost = 5 * time.Second

// workerConfig makes the data of several identities side by side where each is small.
func workerConfig(cfg *Config) postworker.Config {
	out := postworker.Config{
		Beat:    workerLost / 5,
		Network: cfg.Network, DataDir: cfg.Live.PostDir, Name: cfg.Live.Name,
		Retry: min(time.Minute, cfg.Network.LayerDuration),
	}
	if labels := cfg.Network.Post.LabelsPerUnit * uint64(max(cfg.Live.Units, cfg.Network.Post.MinNumUnits)); labels < 1<<20 {
		out.Inits, out.Threads = runtime.GOMAXPROCS(0), 1
	}
	return out
}

// serveAdmin opens the admin server of the process.
func (n *Node) serveAdmin(ctx, running context.Context) error {
	if n.cfg.Live == nil || n.cfg.Live.Admin == "" {
		return nil
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", n.cfg.Live.Admin)
	if err != nil {
		return fmt.Errorf("cannot listen for metrics: %w", err)
	}
	n.admin = l.Addr()
	admin := telemetry.Admin{Metrics: n.gatherer(), Ready: make(map[string]func() error), Log: n.log}
	for _, m := range n.modules {
		admin.Ready[m.name] = func() error { return n.ready(m.name) }
	}
	n.runs.Go(func() {
		if err := admin.Serve(running, l); err != nil {
			n.log.Error("no metrics any more", "err", err)
		}
	})
	return nil
}

// gatherer collects from the services that run at the time.
func (n *Node) gatherer() prometheus.Gatherer {
	process := telemetry.NewProcessRegistry(n.cfg.Live.Version)
	process.MustRegister(telemetry.NewDisks(map[string]string{
		"data": n.cfg.DataDir, "post": n.cfg.Live.PostDir, "poet": n.cfg.Live.PoetDir,
	}))
	return prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		n.mu.Lock()
		all := prometheus.Gatherers{process}
		for _, name := range slices.Sorted(maps.Keys(n.running)) {
			all = append(all, n.running[name].registry)
		}
		n.mu.Unlock()
		return all.Gather()
	})
}

// ready tells whether a service is.
func (n *Node) ready(name string) error {
	n.mu.Lock()
	r, ok := n.running[name]
	n.mu.Unlock()
	if !ok {
		return fmt.Errorf("%s has not started", name)
	}
	return r.service.Ready()
}

// AdminAddr is where metrics are served; nil if nowhere.
func (n *Node) AdminAddr() net.Addr { return n.admin }

// APIAddr is where a listener of the gateway is; nil if it is not open.
func (n *Node) APIAddr(listener string) net.Addr {
	if s := n.api(); s != nil {
		return s.Addr(listener)
	}
	return nil
}

// Directories below a data directory, where nothing else is configured.
func Directories(dir string) (identities, poetDir, postDir string) {
	return filepath.Join(dir, "identities"), filepath.Join(dir, "poet"), filepath.Join(dir, "post")
}

// activationConfig is the part of a configuration that identities need.
func activationConfig(cfg *Config) activation.Config {
	return activation.Config{
		Network: cfg.Network, Identities: cfg.Live.Identities, Seed: cfg.Seed, LocalSpace: true,
		Holder: cfg.holder(bus.ActivationService), Instance: cfg.sole(), LeaseTTL: leaseTTL,
		PoETs: cfg.Live.PoETs, Coinbase: cfg.Live.Coinbase, PostServices: cfg.Live.PostServices,
		WorkerLost: workerLost, Smeshing: activation.Smeshing{Units: cfg.Live.Units, AutoInit: true},
	}
}
