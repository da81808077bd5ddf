package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/post/randomx"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/postgres"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Config of a node.
type Config struct {
	// DataDir is where everything lies; empty only with DatabaseURL.
	DataDir string
	// DatabaseURL is a Postgres that runs already; empty starts one.
	DatabaseURL string
	// NATSURL is a NATS server that runs already; empty starts one in this process.
	// With it and a DatabaseURL, `smeshery migrate` has to have prepared the database.
	NATSURL string
	// Targets are the services to run, by name; empty is all.
	Targets []string
	// Live makes the node take part in its network; nil digests what it is offered.
	Live    *Live
	Network network.Params
	// Now is the clock of all services.
	Now func() time.Time
	// Seed chooses which labels of others' proofs of space are looked at.
	Seed []byte
	// Received tells when an ATX arrived, where Now would be wrong.
	Received func(wire.ATXID) (time.Time, bool)
	Log      *slog.Logger
}

// Node is services that run in this process.
type Node struct {
	cfg      Config
	log      *slog.Logger
	url      string
	modules  []module
	levels   map[string]*slog.LevelVar
	pow      *randomx.Lazy
	database *postgres.Kept // nil with a DatabaseURL
	server   *bus.Server
	reader   *store.DB
	client   *bus.Conn

	cancel context.CancelFunc
	runs   sync.WaitGroup

	mu      sync.Mutex
	running map[string]running
	admin   net.Addr
	failed  chan struct{}
	err     error
}

// running is a service as it runs now.
type running struct {
	service  service
	registry *prometheus.Registry
}

// startLimit bounds a start, which may include the recovery of a database.
const startLimit = 10 * time.Minute

// Start starts everything and returns when all services are ready. Errors say
// what to do about them; nothing runs after one.
func Start(ctx context.Context, cfg Config) (_ *Node, err error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	n := &Node{cfg: cfg, log: cfg.Log, url: cfg.DatabaseURL, running: make(map[string]running), failed: make(chan struct{})}
	if n.modules, err = chosen(&cfg); err != nil {
		return nil, err
	}
	n.levels = make(map[string]*slog.LevelVar)
	for _, m := range n.modules {
		n.levels[m.name] = new(slog.LevelVar)
	}
	n.pow = randomx.NewLazy(randomx.Config{Key: []byte(post.PowKey), VMs: runtime.GOMAXPROCS(0)}, time.Minute)
	starting, done := context.WithTimeout(ctx, startLimit)
	defer done()
	defer func() {
		if err != nil {
			n.Stop(context.WithoutCancel(ctx))
		}
	}()
	if err := n.openDatabase(starting); err != nil {
		return nil, err
	}
	if cfg.NATSURL == "" || cfg.DatabaseURL == "" {
		if err := store.Migrate(starting, n.url, Schemas()...); err != nil {
			return nil, n.cfg.elsewhere("--database", n.cfg.DatabaseURL, err)
		}
	}
	if n.reader, err = store.Open(starting, store.Config{URL: n.url, ReadOnly: true}); err != nil {
		return nil, n.cfg.elsewhere("--database", n.cfg.DatabaseURL, err)
	}
	if err := checkNetwork(starting, n.reader, n.cfg.Network.Genesis); err != nil {
		return nil, n.cfg.elsewhere("--database", n.cfg.DatabaseURL, err)
	}
	if err := n.openBus(starting); err != nil {
		return nil, err
	}
	if err := n.startServices(starting); err != nil {
		return nil, err
	}
	return n, nil
}

// elsewhere names the flag of a server that is not ours.
func (c *Config) elsewhere(flag, url string, err error) error {
	if url == "" {
		return err
	}
	return fmt.Errorf("%s: %w", flag, err)
}

// openDatabase makes sure of a Postgres.
func (n *Node) openDatabase(ctx context.Context) (err error) {
	if n.cfg.DatabaseURL != "" {
		return nil
	}
	dir, err := filepath.Abs(n.cfg.DataDir)
	if err != nil {
		return err
	}
	n.cfg.DataDir = dir
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	if n.database, err = postgres.StartKept(ctx, postgres.Config{Dir: filepath.Join(dir, "postgres"), Log: n.log}); err != nil {
		if Full(err) {
			err = fmt.Errorf("the disk has too little room for a database in %s; some 1.2 GiB must be free: %w", dir, err)
		}
		return err
	}
	n.url = n.database.URL()
	return claim(dir, n.cfg.Network.Genesis) // only now, with the directory's lock
}

func (n *Node) openBus(ctx context.Context) (err error) {
	if n.cfg.NATSURL == "" {
		if err := n.startServer(); err != nil {
			return err
		}
	}
	n.client, err = bus.Connect(bus.Config{Service: bus.GossipService, Server: n.server, URL: n.cfg.NATSURL}, bus.Deps{Log: n.log})
	if err != nil {
		return n.cfg.elsewhere("--nats", n.cfg.NATSURL, err)
	}
	err = bus.EnsureStreams(ctx, n.client, 1)
	if err != nil && strings.Contains(err.Error(), "insufficient storage") {
		err = fmt.Errorf("the disk has too little room for streams in %s; some 1.2 GiB must be free: %w", n.cfg.DataDir, err)
	}
	return err
}

// startServer starts a NATS server in this process. Its streams repeat rows; a
// live node keeps them, so that users can read events from where they were.
func (n *Node) startServer() (err error) {
	streams := ""
	if n.cfg.DataDir != "" && (n.cfg.DatabaseURL == "" || n.cfg.Live != nil) {
		streams = filepath.Join(n.cfg.DataDir, "nats")
	}
	if streams != "" && n.cfg.Live == nil {
		if err := os.RemoveAll(streams); err != nil {
			return fmt.Errorf("streams of the last run: %w", err)
		}
	}
	n.server, err = bus.StartServer(bus.ServerConfig{Name: "smeshery", StoreDir: streams, Log: n.log})
	return err
}

func (n *Node) startServices(ctx context.Context) error {
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	n.cancel = cancel
	if n.database != nil {
		n.runs.Go(func() { n.database.Keep(running, n.fail) })
	}
	n.runs.Go(func() { n.watch(running) })
	if err := n.serveAdmin(ctx, running); err != nil {
		return err
	}
	for _, m := range n.modules {
		ready := make(chan struct{})
		n.runs.Go(func() { n.keep(running, m, ready) })
		select {
		case <-ready:
		case <-n.failed:
			return n.Err()
		case <-ctx.Done():
			return fmt.Errorf("start %s: %w", m.name, context.Cause(ctx))
		}
	}
	return nil
}

// Bus is a connection that plays the part of gossip.
func (n *Node) Bus() *bus.Conn { return n.client }

// DB reads the tables of all services.
func (n *Node) DB() *store.DB { return n.reader }

// Failed is closed when the node cannot go on.
func (n *Node) Failed() <-chan struct{} { return n.failed }

// Err is why the node cannot go on; nil before Failed.
func (n *Node) Err() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.err
}

// fail keeps the first reason.
func (n *Node) fail(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.err == nil {
		n.err = err
		close(n.failed)
	}
}

// Gather collects the metrics of all services that run.
func (n *Node) Gather() (prometheus.Gatherers, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.running) == 0 {
		return nil, errors.New("no service has started")
	}
	out := make(prometheus.Gatherers, 0, len(n.running))
	for _, name := range slices.Sorted(maps.Keys(n.running)) {
		out = append(out, n.running[name].registry)
	}
	return out, nil
}

// Stop ends everything in order: services, the bus, the database. If ctx ends
// first the database stops at once, and recovers on its next start.
func (n *Node) Stop(ctx context.Context) {
	if n.cancel != nil {
		n.cancel()
		n.runs.Wait()
	}
	n.pow.Close()
	if n.client != nil {
		n.client.Close()
	}
	if n.server != nil {
		n.server.Stop()
	}
	if n.reader != nil {
		n.reader.Close()
	}
	if n.database != nil {
		n.database.Stop(ctx)
	}
}
