package poets

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/poet/poetclient"
	"github.com/smeshery/smeshery/pkg/poet/rest"
	"github.com/smeshery/smeshery/pkg/wire"
)

// ErrPhaseShift refuses a PoET whose rounds begin at other times than ours
// (spec 03 §14.5).
var ErrPhaseShift = errors.New("poet has another phase shift than this network")

// Config is the same for all PoETs.
type Config struct {
	// PhaseShift is the network's.
	PhaseShift time.Duration
	// RequestTimeout bounds everything but registrations; it is not 0.
	RequestTimeout time.Duration
	// InfoTTL and PowParamsTTL say how long answers are kept.
	InfoTTL, PowParamsTTL time.Duration
	MaxRetries            int
	RetryDelay            time.Duration
	Certifier             poetclient.CertifierConfig
	// Registrations bounds how many are submitted to a PoET at a time.
	Registrations int64
	// PowWorkers bounds how many proofs of work are solved at a time, for all
	// PoETs together.
	PowWorkers int64
	HTTP       *http.Client
}

// Certificates keeps what certifiers gave. Load is false without one.
type Certificates interface {
	Load(ctx context.Context, id wire.NodeID, certifier []byte) (poet.SignedCertificate, bool, error)
	Save(ctx context.Context, id wire.NodeID, certifier []byte, c poet.SignedCertificate) error
	Drop(ctx context.Context, id wire.NodeID, certifier []byte) error
}

// Deps is what PoETs' servers need of the node.
type Deps struct {
	Now func() time.Time
	// Store verifies a proof and keeps it, as if it had been fetched.
	Store func(ctx context.Context, ref wire.PoetProofRef, encoded []byte) error
	// Downloaded is told of a proof that was stored.
	Downloaded   func(address, round string, leaves uint64)
	Certificates Certificates
}

// Servers are the configured PoETs.
type Servers struct {
	list    []*Server
	byName  map[string]*Server
	names   []string
	powTurn *semaphore.Weighted
	stop    chan struct{}
}

// Close ends what is under way. It is called once.
func (s *Servers) Close() { close(s.stop) }

// New makes the servers at the addresses; nothing is asked of them yet.
func New(addresses []string, cfg Config, deps Deps) (*Servers, error) {
	all := &Servers{stop: make(chan struct{}), byName: make(map[string]*Server), powTurn: semaphore.NewWeighted(max(cfg.PowWorkers, 1))}
	if cfg.HTTP == nil {
		// All identities ask the same few hosts at the same time.
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.MaxIdleConnsPerHost = int(max(cfg.Registrations, 1))
		cfg.HTTP = &http.Client{Transport: transport}
	}
	cfg.Certifier.HTTP, cfg.Certifier.Now = cfg.HTTP, deps.Now
	for _, address := range addresses {
		client, err := poetclient.New(poetclient.Config{
			Address: address, MaxRetries: cfg.MaxRetries, RetryDelay: cfg.RetryDelay, HTTP: cfg.HTTP,
		})
		if err != nil {
			return nil, err
		}
		if all.byName[client.Address()] != nil {
			return nil, fmt.Errorf("poet %s is configured twice", client.Address())
		}
		s := &Server{
			cfg: cfg, deps: deps, client: client, stop: all.stop, powTurn: all.powTurn,
			turn:    semaphore.NewWeighted(max(cfg.Registrations, 1)),
			rounds:  make(map[string]*shared[*Round]),
			certify: make(map[certificateKey]*shared[poet.SignedCertificate]),
		}
		all.list = append(all.list, s)
		all.names = append(all.names, client.Address())
		all.byName[client.Address()] = s
	}
	return all, nil
}

// Names are the PoETs' normalised addresses, as configured.
func (s *Servers) Names() []string { return s.names }

// All lists the servers.
func (s *Servers) All() []*Server { return s.list }

// Server is the one with a name, or nil.
func (s *Servers) Server(name string) *Server { return s.byName[name] }

// Server is one PoET. It is safe for concurrent use.
type Server struct {
	cfg     Config
	deps    Deps
	client  *poetclient.Client
	stop    <-chan struct{}
	turn    *semaphore.Weighted
	powTurn *semaphore.Weighted

	info shared[rest.Info]
	pow  shared[poet.PowParams]

	mu      sync.Mutex
	rounds  map[string]*shared[*Round]
	order   []string // of rounds, oldest first
	certify map[certificateKey]*shared[poet.SignedCertificate]
}

// Name is the normalised address.
func (s *Server) Name() string { return s.client.Address() }

// Info is what the server says about itself, not older than a while.
func (s *Server) Info(ctx context.Context) (rest.Info, error) {
	return s.info.get(ctx, s.kept(s.cfg.InfoTTL), s.client.Info)
}

func (s *Server) powParams(ctx context.Context) (poet.PowParams, error) {
	return s.pow.get(ctx, s.kept(s.cfg.PowParamsTTL), s.client.PowParams)
}

func (s *Server) kept(ttl time.Duration) terms {
	return terms{s.deps.Now, ttl, s.cfg.RequestTimeout, s.stop}
}
