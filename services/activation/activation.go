package activation

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/lease"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/post/randomx"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/outbox"
	"github.com/smeshery/smeshery/pkg/telemetry"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/db"
	"github.com/smeshery/smeshery/services/activation/internal/intake"
	"github.com/smeshery/smeshery/services/activation/internal/measure"
	"github.com/smeshery/smeshery/services/activation/internal/postservice"
	"github.com/smeshery/smeshery/services/activation/internal/tasks"
)

// Config is the service's configuration.
type Config struct {
	// Network is the network's numbers.
	Network network.Params
	// Identities is a directory of key files; empty is an activation that
	// signs for nobody.
	Identities string
	// Seed chooses which labels of others' proofs of space this node looks
	// at; other nodes should not know it better than a peer id is known.
	Seed []byte
	// Holder names this process in leases; empty is "activation".
	Holder string
	// LeaseTTL is how long a lease outlives its holder; 0 is 15 s.
	LeaseTTL time.Duration
	// Workers is how many proofs of space are verified at a time; 0 is one
	// for each core.
	Workers int
	// GossipQueue and SyncQueue bound the ATXs that wait; 0 is 4096 and 8192.
	GossipQueue, SyncQueue int
	// Batch is the most ATXs judged together; 0 is 1024.
	Batch int
	// LocalSpace has own post-workers make and prove the data of identities that
	// have no post-service connected.
	LocalSpace bool
	// PostServices are listeners for post-services of other machines.
	PostServices PostServices
	// WorkerLost is how long a post-worker may be silent; 0 is 15 s.
	WorkerLost time.Duration
	// Instance makes the process its own successor in leases after it was killed;
	// set it only where something keeps a second process with it away, such as
	// the lock on a data directory.
	Instance string
	// PoETs are the addresses of the servers that identities register with.
	PoETs []string
	// Coinbase is rewarded for all identities.
	Coinbase wire.Address
	// Smeshing is how identities live.
	Smeshing Smeshing
	// Drain bounds how long stopping waits for what was accepted; 0 is 30 s.
	Drain time.Duration
}

// Clock tells the time; a replay moves it by hand.
type Clock interface{ Now() time.Time }

// Deps is what the service works with. DB, Bus, Log and Clock are needed.
type Deps struct {
	// DB acts as the writer of the schema "activation".
	DB *store.DB
	// Bus is connected as the service "activation".
	Bus      *bus.Conn
	Log      *slog.Logger
	Registry prometheus.Registerer
	Clock    Clock
	// Received tells when an ATX came in truth, for a replay; nil or false
	// take the clock.
	Received func(wire.ATXID) (time.Time, bool)
	// Self tells whether a peer id is one of this node's own gossip; nil:
	// bus.SelfPeer is.
	Self func(peer string) bool
	// Space is where proofs of space come from; nil smeshes for nobody.
	Space Space
	// Synced tells whether gossip is listened to already; nil: it is.
	Synced func() bool
	// Pow checks proofs of work; nil loads the RandomX library when the first
	// one comes.
	Pow post.PowHasher
}

// Service is one process's activation.
type Service struct {
	cfg     Config
	deps    Deps
	metrics *measure.Metrics
	life    telemetry.Lifecycle
	outbox  *outbox.Relay
	pow     *randomx.Lazy // nil if it is not ours
	post    *post.Verifier
	space   intake.Space
	tasks   *tasks.Queue
	// listeners are those of post-services, while they are open.
	listeners atomic.Pointer[postservice.Server]
	changes   leaseChanges
	names     keyNames
}

// Schema is what the service keeps in Postgres.
func Schema() store.Schema {
	return store.Schema{
		Name: "activation", Parts: []store.Part{outbox.Part(), lease.Part(), db.Part(), db.ListsPart()},
	}
}

// New checks what it is given; it does no I/O.
func New(cfg Config, deps Deps) (*Service, error) {
	if err := validate(&cfg, &deps); err != nil {
		return nil, fmt.Errorf("activation: %w", err)
	}
	cfg.setDefaults()
	s := &Service{cfg: cfg, deps: deps}
	var err error
	if s.metrics, err = measure.New(deps.Registry); err != nil {
		return nil, err
	}
	if s.outbox, err = outbox.New(deps.DB, deps.Bus, outbox.Config{}, deps.Log, deps.Registry); err != nil {
		return nil, err
	}
	s.tasks, err = tasks.New(deps.DB, deps.Bus, tasks.Config{Lost: cfg.WorkerLost}, deps.Log, deps.Registry)
	if err != nil {
		return nil, err
	}
	if deps.Space == nil && s.usesQueue() {
		s.deps.Space = s.Space()
	}
	pow := deps.Pow
	if pow == nil {
		s.pow = randomx.NewLazy(randomx.Config{Key: []byte(post.PowKey), VMs: cfg.Workers}, time.Minute)
		pow = s.pow
	}
	if s.post, err = post.NewVerifier(postParams(&cfg.Network), pow, cfg.Workers); err != nil {
		return nil, fmt.Errorf("activation: %w", err)
	}
	s.space = intake.CPU{Verifier: s.post, Seed: cfg.Seed}
	return s, nil
}

func (s *Service) closePow() {
	if s.pow != nil {
		s.pow.Close()
	}
}

func validate(cfg *Config, deps *Deps) error {
	var problems []error
	n := &cfg.Network
	if n.LayersPerEpoch == 0 || n.LayerDuration <= 0 || n.TickSize == 0 {
		problems = append(problems, errors.New("network: layers per epoch, layer duration and tick size must be set"))
	}
	if err := atx.Versions(n.ATXVersions).Validate(); err != nil {
		problems = append(problems, fmt.Errorf("network: %w", err))
	}
	if len(cfg.Seed) == 0 {
		problems = append(problems, errors.New("seed: must not be empty"))
	}
	if deps.DB == nil || deps.Bus == nil || deps.Log == nil || deps.Clock == nil {
		problems = append(problems, errors.New("deps: DB, Bus, Log and Clock are needed"))
	}
	return errors.Join(problems...)
}

func (c *Config) setDefaults() {
	or := func(v *int, def int) {
		if *v <= 0 {
			*v = def
		}
	}
	or(&c.Workers, runtime.GOMAXPROCS(0))
	or(&c.GossipQueue, 4096)
	or(&c.SyncQueue, 8192)
	or(&c.Batch, 1024)
	if c.Holder == "" {
		c.Holder = bus.ActivationService
	}
	if c.LeaseTTL <= 0 {
		c.LeaseTTL = 15 * time.Second
	}
	c.Smeshing.setDefaults(&c.Network)
	if c.Drain <= 0 {
		c.Drain = 30 * time.Second
	}
}

// postParams are the numbers of proofs of space.
func postParams(n *network.Params) post.Params {
	return post.Params{
		MinNumUnits: n.Post.MinNumUnits, MaxNumUnits: n.Post.MaxNumUnits,
		LabelsPerUnit: n.Post.LabelsPerUnit,
		K1:            n.Post.K1, K2: n.Post.K2, K3: n.Post.K3,
		PowDifficulty: n.Post.PowDifficulty,
		Scrypt:        post.Scrypt{N: uint64(n.Post.ScryptN), R: 1, P: 1},
	}
}

// Ready answers nil while the service judges and signs.
func (s *Service) Ready() error {
	if err := s.life.Ready(); err != nil {
		return fmt.Errorf("activation: %w", err)
	}
	return s.deps.Bus.Ready()
}
