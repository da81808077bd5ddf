package poet

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/smeshery/smeshery/pkg/lease"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/poet/rest"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/telemetry"
	"github.com/smeshery/smeshery/services/poet/internal/db"
	"github.com/smeshery/smeshery/services/poet/internal/registry"
	"github.com/smeshery/smeshery/services/poet/internal/worker"
)

// Config is the service's configuration.
type Config struct {
	// Network gives the calendar of rounds.
	Network network.Params
	// Listen is where nodes register and fetch proofs over HTTP; empty runs no
	// front end.
	Listen string
	// ListenRPC is the same over gRPC; empty: none.
	ListenRPC string
	// ListenConfig is where an operator has the trusted keys read again, over gRPC;
	// empty: nowhere.
	ListenConfig string
	// Dir holds the files of rounds at work; empty runs no worker.
	Dir string
	// PowDifficulty is the leading zero bits of a registration's proof of work.
	PowDifficulty uint32
	// MaxMembers bounds a round; 0 is 2^32.
	MaxMembers uint64
	// CertifierURL and CertifierKey advertise a certifier whose certificates
	// replace the proof of work; empty: none. CertifierKeys is a directory of
	// more keys (*.key).
	CertifierURL  string
	CertifierKey  []byte
	CertifierKeys string
	// KeptLayer says how much of the tree stays on disk: nodes of that layer, and
	// what is below is worked out again for the proof. 0 chooses by the length of
	// rounds.
	KeptLayer uint8
	// Provers is how many goroutines make a proof; 0 is 2.
	Provers int
	// Nice lowers the priority of the working thread, 0 to 19.
	Nice int
	// Holder names this process in leases; empty is "poet". LeaseTTL is how long
	// a lease outlives its holder; 0 is 15 s. Instance is lease.Config.Instance.
	Holder   string
	Instance string
	LeaseTTL time.Duration
}

// Deps is what the service works with; DB and Log are needed.
type Deps struct {
	// DB acts as the writer of the schema "poet".
	DB       *store.DB
	Log      *slog.Logger
	Registry prometheus.Registerer
	// Now is the clock; nil is the system's.
	Now func() time.Time
}

// Service is one process's PoET.
type Service struct {
	cfg      Config
	deps     Deps
	schedule poet.Schedule
	trusted  atomic.Pointer[rest.TrustedKeys]
	life     telemetry.Lifecycle
	metrics  *metrics

	registry atomic.Pointer[registry.Registry]
	worker   atomic.Pointer[worker.Worker]
	addr     atomic.Pointer[net.TCPAddr]
	rpcAddr  atomic.Pointer[net.TCPAddr]
	confAddr atomic.Pointer[net.TCPAddr]
}

// Schema is what the service keeps in Postgres.
func Schema() store.Schema { return db.Schema() }

// New checks what it is given. It reads the directory of trusted keys.
func New(cfg Config, deps Deps) (*Service, error) {
	s := &Service{cfg: cfg, deps: deps}
	if err := s.validate(); err != nil {
		return nil, fmt.Errorf("poet: %w", err)
	}
	s.cfg.setDefaults()
	if s.deps.Now == nil {
		s.deps.Now = time.Now
	}
	n := &s.cfg.Network
	s.schedule = poet.Schedule{
		Genesis: n.Genesis.Time, EpochDuration: time.Duration(n.LayersPerEpoch) * n.LayerDuration,
		PhaseShift: n.Poet.PhaseShift, CycleGap: n.Poet.CycleGap,
	}
	if s.cfg.KeptLayer == 0 {
		s.cfg.KeptLayer = keptLayer(s.schedule.RoundDuration())
	}
	var err error
	trusted, err := s.trustedKeys()
	if err != nil {
		return nil, fmt.Errorf("poet: %w", err)
	}
	s.trusted.Store(trusted)
	if s.metrics, err = newMetrics(deps.Registry, s); err != nil {
		return nil, fmt.Errorf("poet: %w", err)
	}
	return s, nil
}

// keptLayer keeps as much on disk as fits keptBytes, so that short rounds are proved
// at once: a proof works out 150 subtrees of 2^layer leaves again.
func keptLayer(round time.Duration) uint8 {
	const leavesPerSecond, keptBytes = 100_000, 256 << 20
	layer := uint8(4)
	for layer < poet.DefaultKeptLayer && round.Seconds()*leavesPerSecond*32/float64(uint64(1)<<layer) > keptBytes {
		layer++
	}
	return layer
}

func (s *Service) validate() error {
	var problems []error
	n := &s.cfg.Network
	epoch := time.Duration(n.LayersPerEpoch) * n.LayerDuration
	if epoch <= 0 || n.Poet.CycleGap < 0 || n.Poet.CycleGap >= epoch {
		problems = append(problems, fmt.Errorf("network: with epochs of %s and a cycle gap of %s no round has any time", epoch, n.Poet.CycleGap))
	}
	if s.cfg.Listen == "" && s.cfg.Dir == "" {
		problems = append(problems, errors.New("neither an address to listen on nor a directory to work in: there is nothing to do"))
	}
	if k := len(s.cfg.CertifierKey); k != 0 && k != ed25519.PublicKeySize {
		problems = append(problems, fmt.Errorf("certifier key: %d bytes where %d are due", k, ed25519.PublicKeySize))
	}
	if s.cfg.PowDifficulty > 256 {
		problems = append(problems, fmt.Errorf("pow difficulty: %d bits of a hash of 256", s.cfg.PowDifficulty))
	}
	if s.cfg.KeptLayer > poet.MaxKeptLayer {
		problems = append(problems, fmt.Errorf("kept layer: %d is above %d", s.cfg.KeptLayer, poet.MaxKeptLayer))
	}
	if s.deps.DB == nil || s.deps.Log == nil {
		problems = append(problems, errors.New("deps: DB and Log are needed"))
	}
	return errors.Join(problems...)
}

func (c *Config) setDefaults() {
	if c.MaxMembers == 0 {
		c.MaxMembers = math.MaxUint32 + 1
	}
	if c.Provers <= 0 {
		c.Provers = 2
	}
	if c.Holder == "" {
		c.Holder = "poet"
	}
}

// trustedKeys reads whose certificates count; nil where none do.
func (s *Service) trustedKeys() (*rest.TrustedKeys, error) {
	if len(s.cfg.CertifierKey) == 0 && s.cfg.CertifierKeys == "" {
		return nil, nil
	}
	keys := &rest.TrustedKeys{Default: s.cfg.CertifierKey}
	if s.cfg.CertifierKeys == "" {
		return keys, nil
	}
	err := filepath.WalkDir(s.cfg.CertifierKeys, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".key" {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		key, err := rest.ParseKeyFile(raw)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		keys.More = append(keys.More, key)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("trusted keys: %w", err)
	}
	return keys, nil
}

// Errors of reading trusted keys again; the texts are the network's.
var (
	errNoCertificates = errors.New("certificate is not supported")
	errNoKeysDir      = errors.New("trusted keys directory path is not set")
)

// reloadTrusted reads the directory of trusted keys again. With an error the keys
// of before stay.
func (s *Service) reloadTrusted() error {
	if s.trusted.Load() == nil {
		return errNoCertificates
	}
	if s.cfg.CertifierKeys == "" {
		return errNoKeysDir
	}
	keys, err := s.trustedKeys()
	if err != nil {
		return err
	}
	s.trusted.Store(keys)
	s.deps.Log.Info("trusted keys were read again", "keys", len(keys.More))
	return nil
}

// Ready answers nil while the service takes requests and works.
func (s *Service) Ready() error {
	if err := s.life.Ready(); err != nil {
		return fmt.Errorf("poet: %w", err)
	}
	return nil
}

// Addr is where HTTP is served; nil before that.
func (s *Service) Addr() *net.TCPAddr { return s.addr.Load() }

// RPCAddr is where gRPC is served; nil before that, or without it.
func (s *Service) RPCAddr() *net.TCPAddr { return s.rpcAddr.Load() }

// ConfigAddr is where operators are served; nil before that, or without it.
func (s *Service) ConfigAddr() *net.TCPAddr { return s.confAddr.Load() }

// Run serves and works until ctx ends. It returns when all it started has ended.
func (s *Service) Run(ctx context.Context) error {
	defer s.life.Advance(telemetry.Stopped)
	if err := store.Check(ctx, s.deps.DB, Schema()); err != nil {
		return fmt.Errorf("poet: %w", err)
	}
	self, err := s.claim(ctx)
	if err != nil {
		return fmt.Errorf("poet: %w", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	proved := make(chan struct{}, 1)
	if s.cfg.Listen != "" {
		if err := s.serve(ctx, group, self, proved); err != nil {
			return fmt.Errorf("poet: %w", err)
		}
	}
	if s.cfg.Dir != "" {
		if err := s.work(ctx, group, self, proved); err != nil {
			return errors.Join(fmt.Errorf("poet: %w", err), group.Wait())
		}
	}
	s.life.Advance(telemetry.Serving)
	<-ctx.Done()
	s.life.Advance(telemetry.Draining)
	return group.Wait()
}

// claim makes sure that the database is ours.
func (s *Service) claim(ctx context.Context) (db.Server, error) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return db.Server{}, err
	}
	challenge := make([]byte, 32)
	_, _ = rand.Read(challenge)
	c := s.schedule
	calendar := fmt.Sprintf("genesis %s, epoch %s, phase shift %s, cycle gap %s",
		c.Genesis.UTC().Format(time.RFC3339), c.EpochDuration, c.PhaseShift, c.CycleGap)
	return db.Claim(ctx, s.deps.DB, db.Server{Key: key, PowChallenge: challenge}, calendar)
}

func (s *Service) work(ctx context.Context, group *errgroup.Group, self db.Server, proved chan<- struct{}) error {
	if err := os.MkdirAll(s.cfg.Dir, 0o700); err != nil {
		return fmt.Errorf("work directory: %w", err)
	}
	holder, err := lease.New(s.deps.DB, lease.Config{Holder: s.cfg.Holder, Instance: s.cfg.Instance, TTL: s.cfg.LeaseTTL, Metrics: s.deps.Registry}, s.deps.Log)
	if err != nil {
		return err
	}
	w := worker.New(worker.Config{
		Schedule: s.schedule, Dir: s.cfg.Dir, KeptLayer: s.cfg.KeptLayer, Provers: s.cfg.Provers, Nice: s.cfg.Nice,
	}, self.Key.Public().(ed25519.PublicKey), s.deps.DB, holder, s.deps.Log, s.deps.Now, func() {
		s.metrics.proved.Inc()
		select {
		case proved <- struct{}{}:
		default:
		}
	})
	s.worker.Store(w)
	// The lease outlives the work: a checkpoint at the end is still ours.
	holding, release := context.WithCancel(context.WithoutCancel(ctx))
	group.Go(func() error { return holder.Run(holding) })
	group.Go(func() error {
		defer release()
		err := w.Run(ctx)
		resign, cancel := context.WithTimeout(holding, 2*time.Second)
		defer cancel()
		if failed := holder.Resign(resign); failed != nil {
			s.deps.Log.Warn("the lease was not given back and ends by itself", "err", failed)
		}
		return err
	})
	return nil
}
