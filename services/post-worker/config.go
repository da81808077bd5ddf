package postworker

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/post/randomx"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/telemetry"
)

// Config is the service's configuration. Zero values take the defaults.
type Config struct {
	// Network is the network's numbers.
	Network network.Params
	// DataDir is where data lies. Empty has no disk: the worker only solves
	// proofs of work and verifies.
	DataDir string
	// Name is for people; a random suffix makes it unique. Empty is "post-worker".
	Name string
	// Kinds are the tasks to take; empty is all that the worker can do.
	Kinds []bus.TaskKind
	// Inits is how many identities' data is made at a time; 0 is 1.
	Inits int
	// Proofs is how many other tasks run at a time; 0 is 2.
	Proofs int
	// Threads is how many cores one task may use; 0 is three quarters of them.
	Threads int
	// Nonces is how many nonces one pass over the data tries, a multiple of 16;
	// 0 is 288, or 16 for data that is small.
	Nonces uint32
	// MaxFileSize of label files in bytes; 0 is 4 GiB.
	MaxFileSize uint64
	// Batch is how many labels are made between two looks at the clock; 0 is 16384.
	Batch uint64
	// DelegatePow has other workers solve the proofs of work of this one's proofs;
	// it then takes no K2Pow tasks itself, so that none waits for another.
	DelegatePow bool
	// Normal keeps the priority of threads; otherwise they yield to others.
	Normal bool
	// Beat is the pause between signs of life; 0 is 3 s.
	Beat time.Duration
	// Poll is how often to look for tasks without being woken; 0 is 5 s.
	Poll time.Duration
	// Retry is how long a task rests after trouble with the disk; 0 is 1 min.
	Retry time.Duration
}

// Pow solves and checks proofs of work: a randomx.Lazy or Hasher.
type Pow interface {
	post.PowHasher
	Solve(ctx context.Context, task post.PowTask) (pow uint64, err error)
}

// Deps is what the service works with. Bus and Log are needed.
type Deps struct {
	// Bus is connected as the service "post-worker".
	Bus      *bus.Conn
	Log      *slog.Logger
	Registry prometheus.Registerer
	// Pow is shared with other services of the process; nil opens RandomX when
	// it is needed: light for easy puzzles, else fast.
	Pow Pow
	// Engine makes labels; nil is the machine's cores.
	Engine func() post.Engine
}

// Service is one worker process.
type Service struct {
	cfg      Config
	deps     Deps
	name     string
	params   post.Params
	pow      Pow
	own      *randomx.Lazy // closed at the end
	verifier *post.Verifier
	metrics  *metrics
	life     telemetry.Lifecycle
	disk     *disk
	running  *running
}

// Schema is empty: the worker owns no rows.
func Schema() store.Schema { return store.Schema{} }

// New checks what it is given; it touches neither disk nor bus.
func New(cfg Config, deps Deps) (*Service, error) {
	if err := validate(&cfg, &deps); err != nil {
		return nil, fmt.Errorf("post-worker: %w", err)
	}
	cfg.setDefaults()
	s := &Service{
		cfg: cfg, deps: deps, params: paramsOf(&cfg.Network), pow: deps.Pow, running: newRunning(),
		name: cfg.Name + "-" + suffix(),
	}
	if s.pow == nil {
		s.own = randomx.NewLazy(randomx.Config{
			Key: []byte(post.PowKey), Mode: powMode(&s.params), VMs: cfg.Threads, InitCores: cfg.Threads,
		}, time.Minute)
		s.pow = s.own
	}
	var err error
	if s.verifier, err = post.NewVerifier(s.params, s.pow, cfg.Proofs); err != nil {
		return nil, fmt.Errorf("post-worker: %w", err)
	}
	if s.metrics, err = newMetrics(deps.Registry); err != nil {
		return nil, err
	}
	return s, nil
}

func validate(cfg *Config, deps *Deps) error {
	var problems []error
	p := paramsOf(&cfg.Network)
	if p.LabelsPerUnit == 0 || p.K1 == 0 || p.K2 == 0 || !p.Scrypt.Valid() {
		problems = append(problems, errors.New("network: numbers of proofs of space must be set"))
	}
	if cfg.Nonces%post.NoncesPerGroup != 0 || cfg.Nonces > post.NumNonces {
		problems = append(problems, fmt.Errorf("nonces: %d is not a multiple of 16 up to 4096", cfg.Nonces))
	}
	if cfg.MaxFileSize != 0 && cfg.MaxFileSize < 1024 {
		problems = append(problems, fmt.Errorf("max file size: %d is less than 1024", cfg.MaxFileSize))
	}
	for _, k := range cfg.Kinds {
		if k < bus.PostInit || k > bus.PostVerify {
			problems = append(problems, fmt.Errorf("kinds: %d is unknown", k))
		}
		if cfg.DataDir == "" && (k == bus.PostInit || k == bus.PostProve) {
			problems = append(problems, fmt.Errorf("kinds: %s needs a data directory", k))
		}
	}
	if deps.Bus == nil || deps.Log == nil {
		problems = append(problems, errors.New("deps: Bus and Log are needed"))
	}
	return errors.Join(problems...)
}

func (c *Config) setDefaults() {
	or(&c.Inits, 1)
	or(&c.Proofs, 2)
	or(&c.Threads, max(1, runtime.GOMAXPROCS(0)*3/4))
	or(&c.MaxFileSize, 4<<30)
	or(&c.Batch, 16384)
	or(&c.Beat, 3*time.Second)
	or(&c.Poll, 5*time.Second)
	or(&c.Retry, time.Minute)
	if c.Name == "" {
		c.Name = bus.PostWorkerService
	}
	if len(c.Kinds) == 0 {
		c.Kinds = bus.TaskKinds()
		if c.DataDir == "" {
			c.Kinds = []bus.TaskKind{bus.K2Pow, bus.PostVerify}
		}
	}
	if c.DelegatePow {
		c.Kinds = slices.DeleteFunc(slices.Clone(c.Kinds), func(k bus.TaskKind) bool { return k == bus.K2Pow })
	}
}

func or[T int | uint32 | uint64 | time.Duration](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}

func paramsOf(n *network.Params) post.Params {
	return post.Params{
		MinNumUnits: n.Post.MinNumUnits, MaxNumUnits: n.Post.MaxNumUnits,
		LabelsPerUnit: n.Post.LabelsPerUnit,
		K1:            n.Post.K1, K2: n.Post.K2, K3: n.Post.K3,
		PowDifficulty: n.Post.PowDifficulty,
		Scrypt:        post.Scrypt{N: uint64(n.Post.ScryptN), R: 1, P: 1},
	}
}

// powMode takes 2 GiB only where a puzzle takes more than some hashes.
func powMode(p *post.Params) randomx.Mode {
	if p.PowDifficulty[0] >= 0x10 {
		return randomx.Light
	}
	return randomx.Fast
}

// nonces is how many a pass tries. Small data has many good labels among few nonces.
func (s *Service) nonces(units uint32) uint32 {
	if s.cfg.Nonces > 0 {
		return s.cfg.Nonces
	}
	if labels, ok := post.NumLabels(units, s.params.LabelsPerUnit); ok && labels < 1<<20 {
		return post.NoncesPerGroup
	}
	return 288
}

func (s *Service) nice(level int) int {
	if s.cfg.Normal {
		return 0
	}
	return level
}

// suffix tells processes apart.
func suffix() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// Ready answers nil while the worker takes tasks.
func (s *Service) Ready() error {
	if err := s.life.Ready(); err != nil {
		return fmt.Errorf("post-worker: %w", err)
	}
	return s.deps.Bus.Ready()
}
