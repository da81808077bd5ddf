package postservice

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	pb "github.com/spacemeshos/api/release/go/spacemesh/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/tasks"
)

// Config of the listeners.
type Config struct {
	// Plain is the host:port of the listener without TLS; empty is none.
	Plain string
	// TLS is the host:port of the listener that wants client certificates; empty
	// is none.
	TLS string
	// CertFile and KeyFile are the server's, CAFile signs the clients'. PEM.
	CertFile, KeyFile, CAFile string
	// Repeat is the pause before a post-service that still proves is asked again;
	// 0 is 2 s.
	Repeat time.Duration
	// Answer is how long a post-service may take for the first answer; 0 is 1 min.
	Answer time.Duration
	// Connections bounds how many may be open; 0 is 16384.
	Connections int
}

// Identity is one of the node's, with the name of its key file.
type Identity struct {
	Node wire.NodeID
	Name string
}

// Deps is what a Server works with; Queue, Verifier and Log are needed.
type Deps struct {
	Queue    *tasks.Queue
	Verifier *post.Verifier
	Log      *slog.Logger
	Registry prometheus.Registerer
	// Allowed tells whether post-services may connect; nil: they may.
	Allowed func() bool
	// Identities are the node's own, for PostStates; nil: none.
	Identities func() []Identity
}

// Server serves PostService and PostInfoService.
type Server struct {
	pb.UnimplementedPostServiceServer
	pb.UnimplementedPostInfoServiceServer

	cfg       Config
	deps      Deps
	holder    string
	listeners []listener
	numbers   atomic.Int64
	open      chan struct{}
	wake      chan struct{}
	metrics   *metrics

	mu      sync.Mutex
	clients map[wire.NodeID]*client
}

type listener struct {
	net.Listener
	server *grpc.Server
	name   string
}

// New opens the ports; nobody is answered before Run.
func New(cfg Config, deps Deps) (*Server, error) {
	or(&cfg.Repeat, 2*time.Second)
	or(&cfg.Answer, time.Minute)
	or(&cfg.Connections, 16384)
	m, err := newMetrics(deps.Registry)
	if err != nil {
		return nil, err
	}
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	s := &Server{
		cfg: cfg, deps: deps, holder: "post-services-" + hex.EncodeToString(b[:]), metrics: m,
		open: make(chan struct{}, cfg.Connections), wake: make(chan struct{}, 1), clients: make(map[wire.NodeID]*client),
	}
	if err := s.listen(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func or[T int | time.Duration](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}

// Addr is where a listener ("post" or "tls") listens, or nil.
func (s *Server) Addr(name string) net.Addr {
	for _, l := range s.listeners {
		if l.name == name {
			return l.Addr()
		}
	}
	return nil
}

// Register implements PostService (spec 04 §6.2).
func (s *Server) Register(stream pb.PostService_RegisterServer) error {
	if s.deps.Allowed != nil && !s.deps.Allowed() {
		return status.Error(codes.FailedPrecondition, "connection not allowed: node has no coinbase set in config")
	}
	select {
	case s.open <- struct{}{}:
		defer func() { <-s.open }()
	default:
		return status.Error(codes.ResourceExhausted, "too many post services are connected")
	}
	c := newClient(stream, s.numbers.Add(1))
	go c.receive() // ends with the stream, which ends with this function
	return s.serve(stream.Context(), c)
}

func (s *Server) serve(ctx context.Context, c *client) error {
	defer c.close(errClosed)
	data, err := s.introduce(ctx, c)
	if err != nil {
		return status.Error(codes.Unknown, err.Error())
	}
	log := s.deps.Log.With("smesher", data.Node)
	link := &tasks.Connection{Holder: s.holder, Number: c.number, Data: data}
	if err := s.admit(ctx, c, link); err != nil {
		log.Warn("post-service was refused", "err", err)
		return status.Error(codes.Unknown, err.Error())
	}
	defer s.dismiss(c, link)
	log.Info("post-service is connected", "units", data.Units)
	s.look()
	select {
	case <-ctx.Done():
		log.Info("post-service has gone")
		return nil
	case <-c.closed:
		log.Info("post-service was disconnected", "err", c.cause())
		return status.Error(codes.Unknown, c.cause().Error())
	}
}

// introduce asks a new connection whose data it has.
func (s *Server) introduce(ctx context.Context, c *client) (data bus.SpaceData, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.cfg.Answer, errors.New("no answer in time"))
	defer cancel()
	r, err := c.ask(ctx, &pb.NodeRequest{Kind: &pb.NodeRequest_Metadata{Metadata: &pb.MetadataRequest{}}})
	if err != nil {
		return data, fmt.Errorf("expected metadata response: %w", err)
	}
	if _, ok := r.GetKind().(*pb.ServiceResponse_Metadata); !ok {
		return data, fmt.Errorf("expected metadata response, got %T", r.GetKind())
	}
	meta := r.GetMetadata().GetMeta()
	if meta == nil {
		return data, errors.New("expected metadata, got empty response")
	}
	return spaceOf(meta)
}

// spaceOf reads what a post-service says of its data.
func spaceOf(m *pb.Metadata) (data bus.SpaceData, err error) {
	if len(m.GetNodeId()) != 32 || len(m.GetCommitmentAtxId()) != 32 {
		return data, fmt.Errorf("metadata: node id of %d bytes and commitment of %d, both must have 32",
			len(m.GetNodeId()), len(m.GetCommitmentAtxId()))
	}
	return bus.SpaceData{
		Node: wire.NodeID(m.GetNodeId()), Commitment: wire.ATXID(m.GetCommitmentAtxId()), Units: m.GetNumUnits(),
		LabelsPerUnit: m.GetLabelsPerUnit(), Nonce: m.Nonce, Complete: m.Nonce != nil,
	}, nil
}

var errRegistered = errors.New("post service already registered")

func (s *Server) admit(ctx context.Context, c *client, link *tasks.Connection) error {
	s.mu.Lock()
	_, taken := s.clients[link.Data.Node]
	if !taken {
		s.clients[link.Data.Node] = c
	}
	s.mu.Unlock()
	if taken {
		return errRegistered
	}
	ok, err := s.deps.Queue.Connect(ctx, link)
	if err == nil && ok {
		s.metrics.connected.Inc()
		return nil
	}
	s.forget(c, link)
	if err != nil {
		s.deps.Log.Error("post-service was not registered", "err", err)
		return errors.New("the node cannot register post services now")
	}
	return errRegistered
}

func (s *Server) forget(c *client, link *tasks.Connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clients[link.Data.Node] == c {
		delete(s.clients, link.Data.Node)
	}
}

// dismiss lets the next connection of the identity in.
func (s *Server) dismiss(c *client, link *tasks.Connection) {
	s.metrics.connected.Dec()
	c.close(errClosed)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.deps.Queue.Disconnect(ctx, link); err != nil {
		s.deps.Log.Warn("a post-service that has gone stays registered for a while", "err", err)
	}
	s.forget(c, link)
}

func (s *Server) look() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Server) connected() []wire.NodeID {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]wire.NodeID, 0, len(s.clients))
	for id := range s.clients {
		out = append(out, id)
	}
	return out
}

func (s *Server) client(id wire.NodeID) *client {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clients[id]
}

// PostStates implements PostInfoService (spec 04 §6.6).
func (s *Server) PostStates(ctx context.Context, _ *pb.PostStatesRequest) (*pb.PostStatesResponse, error) {
	proving, err := s.deps.Queue.Proving(ctx)
	if err != nil {
		s.deps.Log.Error("states of identities were not read", "err", err)
		return nil, status.Error(codes.Internal, "the node cannot tell now")
	}
	out := &pb.PostStatesResponse{}
	if s.deps.Identities == nil {
		return out, nil
	}
	for _, id := range s.deps.Identities() {
		state := pb.PostState_IDLE
		if proving[id.Node] {
			state = pb.PostState_PROVING
		}
		out.States = append(out.States, &pb.PostState{Id: id.Node[:], Name: id.Name, State: state})
	}
	return out, nil
}
