package postservice

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v1"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/post/postdata"
	"github.com/smeshery/smeshery/pkg/post/postdata/cpu"
	"github.com/smeshery/smeshery/pkg/post/randomx"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/db"
	"github.com/smeshery/smeshery/services/activation/internal/smeshing"
	"github.com/smeshery/smeshery/services/activation/internal/tasks"
)

var params = post.Params{
	MinNumUnits: 1, MaxNumUnits: 4, LabelsPerUnit: 256, K1: 12, K2: 4, K3: 1,
	PowDifficulty: [32]byte{0xff}, Scrypt: post.Scrypt{N: 2, R: 1, P: 1},
}

// pow is shared: its memory is large.
var pow = randomx.NewLazy(randomx.Config{Key: []byte(post.PowKey), VMs: 2}, 0)

// world is a server with its queue, and data of one identity.
type world struct {
	*Server
	queue   *tasks.Queue
	space   *tasks.Space
	id      wire.NodeID
	dir     string
	meta    *post.Metadata
	stop    func()
	allowed bool
	mu      sync.Mutex
}

func start(t *testing.T, change func(*Config)) *world {
	t.Helper()
	w := &world{id: wire.NodeID{5, 5}, allowed: true, dir: t.TempDir()}
	d := storetest.DB(t, store.Schema{Name: "activation", Parts: []store.Part{db.Part()}})
	server, err := bus.StartServer(bus.ServerConfig{StoreDir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	conn, err := bus.Connect(bus.Config{Service: bus.ActivationService, Server: server}, bus.Deps{})
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	log := slog.New(slog.DiscardHandler)
	w.queue, err = tasks.New(d, conn, tasks.Config{Poll: 20 * time.Millisecond, Lost: 2 * time.Second}, log, nil)
	require.NoError(t, err)
	w.space = &tasks.Space{Queue: w.queue, Now: time.Now}
	verifier, err := post.NewVerifier(params, pow, 2)
	require.NoError(t, err)
	cfg := Config{Plain: "127.0.0.1:0", Repeat: 5 * time.Millisecond}
	if change != nil {
		change(&cfg)
	}
	w.Server, err = New(cfg, Deps{
		Queue: w.queue, Verifier: verifier, Log: log,
		Allowed:    func() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.allowed },
		Identities: func() []Identity { return []Identity{{w.id, "a.key"}, {wire.NodeID{6}, "b.key"}} },
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() { _ = w.queue.Run(ctx) })
	group.Go(func() { require.NoError(t, w.Run(ctx)) })
	w.stop = sync.OnceFunc(func() { cancel(); group.Wait() })
	t.Cleanup(w.stop)
	w.makeData(t)
	return w
}

func (w *world) makeData(t *testing.T) {
	session, err := postdata.Open(postdata.Options{
		Dir: w.dir, NodeID: w.id, CommitmentATX: wire.ATXID{7}, NumUnits: 2, MaxFileSize: 4096, BatchSize: 1024,
		Params: params, Engine: cpu.New(1),
	})
	require.NoError(t, err)
	require.NoError(t, session.Run(t.Context()))
	meta := session.Metadata()
	w.meta = &meta
}

func (w *world) metadata() *pb.Metadata {
	return &pb.Metadata{
		NodeId: w.meta.NodeID[:], CommitmentAtxId: w.meta.CommitmentATX[:], Nonce: w.meta.Nonce,
		NumUnits: w.meta.NumUnits, LabelsPerUnit: w.meta.LabelsPerUnit,
	}
}

func (w *world) honest(t *testing.T, challenge []byte) *pb.GenProofResponse {
	proof, _, err := postdata.Prove(t.Context(), w.dir, wire.Hash32(challenge), postdata.ProveConfig{
		Params: params, Nonces: 16, Threads: 1, Solver: pow,
	})
	require.NoError(t, err)
	return &pb.GenProofResponse{
		Status:   pb.GenProofStatus_GEN_PROOF_STATUS_OK,
		Proof:    &pb.Proof{Nonce: proof.Nonce, Indices: proof.Indices, Pow: proof.Pow},
		Metadata: &pb.ProofMetadata{Challenge: challenge, Meta: w.metadata()},
	}
}

// dial connects as a post-service does.
func dial(t *testing.T, addr net.Addr, creds credentials.TransportCredentials) *grpc.ClientConn {
	conn, err := grpc.NewClient(addr.String(), grpc.WithTransportCredentials(creds))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func (w *world) plain(t *testing.T) *grpc.ClientConn {
	return dial(t, w.Addr("post"), insecure.NewCredentials())
}

// caller is a post-service in a test's hands.
type caller struct {
	pb.PostService_RegisterClient
	leave func()
}

func register(t *testing.T, conn *grpc.ClientConn) *caller {
	ctx, cancel := context.WithCancel(t.Context())
	stream, err := pb.NewPostServiceClient(conn).Register(ctx)
	require.NoError(t, err)
	return &caller{stream, cancel}
}

// say answers a metadata request.
func (s *caller) introduce(t *testing.T, m *pb.Metadata) {
	r, err := s.Recv()
	require.NoError(t, err)
	require.NotNil(t, r.GetMetadata())
	require.NoError(t, s.Send(&pb.ServiceResponse{Kind: &pb.ServiceResponse_Metadata{Metadata: &pb.MetadataResponse{Meta: m}}}))
}

func (s *caller) asked(t *testing.T) []byte {
	r, err := s.Recv()
	require.NoError(t, err)
	require.NotNil(t, r.GetGenProof())
	return r.GetGenProof().GetChallenge()
}

func (s *caller) answer(t *testing.T, r *pb.GenProofResponse) {
	require.NoError(t, s.Send(&pb.ServiceResponse{Kind: &pb.ServiceResponse_GenProof{GenProof: r}}))
}

var working = &pb.GenProofResponse{Status: pb.GenProofStatus_GEN_PROOF_STATUS_OK}

func (w *world) connected(t *testing.T) smeshing.SpaceInfo {
	info, err := w.space.Initialize(t.Context(), smeshing.SpaceSetup{Node: w.id, Units: 1})
	require.NoError(t, err)
	return info
}

type proved struct {
	proof smeshing.SpaceProof
	err   error
}

func (w *world) prove(t *testing.T, challenge byte, within time.Duration) chan proved {
	c := make(chan proved, 1)
	go func() {
		p, err := w.space.Prove(t.Context(), w.id, wire.Hash32{challenge}, time.Now().Add(within))
		c <- proved{p, err}
	}()
	return c
}

func TestAPostServiceProves(t *testing.T) {
	w := start(t, nil)
	waiting := w.prove(t, 1, time.Hour) // before anybody is connected
	initialized := make(chan smeshing.SpaceInfo, 1)
	go func() { initialized <- w.connected(t) }()
	s := register(t, w.plain(t))
	s.introduce(t, w.metadata())
	info := <-initialized
	require.Equal(t, smeshing.SpaceInfo{
		Node: w.id, Commitment: w.meta.CommitmentATX, Units: 2, LabelsPerUnit: 256, Nonce: w.meta.Nonce,
	}, info)
	challenge := s.asked(t)
	require.Equal(t, byte(1), challenge[0])
	states, err := pb.NewPostInfoServiceClient(w.plain(t)).PostStates(t.Context(), &pb.PostStatesRequest{})
	require.NoError(t, err)
	require.Len(t, states.States, 2)
	require.Equal(t, "a.key", states.States[0].Name)
	require.Equal(t, pb.PostState_PROVING, states.States[0].State)
	require.Equal(t, pb.PostState_IDLE, states.States[1].State)
	for range 2 {
		s.answer(t, working)
		require.Equal(t, challenge, s.asked(t)) // again
	}
	want := w.honest(t, challenge)
	s.answer(t, want)
	got := <-waiting
	require.NoError(t, got.err)
	require.Equal(t, info, got.proof.Info)
	require.Equal(t, want.Proof.Indices, got.proof.Post.Indices)
	again := <-w.prove(t, 1, time.Hour) // stored
	require.Equal(t, got, again)
}

func TestWrongProofsAreRefused(t *testing.T) {
	w := start(t, nil)
	s := register(t, w.plain(t))
	s.introduce(t, w.metadata())
	w.connected(t)
	other := uint64(1 << 40)
	n := byte(0)
	for name, c := range map[string]struct {
		change func(*pb.GenProofResponse)
		says   string
	}{
		"error":          {func(r *pb.GenProofResponse) { r.Status = pb.GenProofStatus_GEN_PROOF_STATUS_ERROR }, "error generating proof"},
		"unspecified":    {func(r *pb.GenProofResponse) { r.Status = pb.GenProofStatus_GEN_PROOF_STATUS_UNSPECIFIED }, "error generating proof"},
		"no metadata":    {func(r *pb.GenProofResponse) { r.Metadata = nil }, "without metadata"},
		"no meta":        {func(r *pb.GenProofResponse) { r.Metadata.Meta = nil }, "without metadata"},
		"challenge":      {func(r *pb.GenProofResponse) { r.Metadata.Challenge = make([]byte, 32) }, "for challenge"},
		"identity":       {func(r *pb.GenProofResponse) { r.Metadata.Meta.NodeId = make([]byte, 32) }, "proof of"},
		"short identity": {func(r *pb.GenProofResponse) { r.Metadata.Meta.NodeId = []byte{1} }, "must have 32"},
		"no nonce":       {func(r *pb.GenProofResponse) { r.Metadata.Meta.Nonce = nil }, "no VRF nonce"},
		"bad nonce":      {func(r *pb.GenProofResponse) { r.Metadata.Meta.Nonce = &other }, "vrf nonce"},
		"units":          {func(r *pb.GenProofResponse) { r.Metadata.Meta.NumUnits = 1000 }, "num units"},
		"labels":         {func(r *pb.GenProofResponse) { r.Metadata.Meta.LabelsPerUnit = 128 }, "labels in a unit"},
		"no indices":     {func(r *pb.GenProofResponse) { r.Proof.Indices = nil }, "indices"},
		"indices":        {func(r *pb.GenProofResponse) { r.Proof.Indices[0] ^= 0xff }, "index"},
		"group":          {func(r *pb.GenProofResponse) { r.Proof.Nonce = 1 << 20 }, "nonce group"},
	} {
		n++
		pending := w.prove(t, n, time.Hour)
		r := w.honest(t, s.asked(t))
		c.change(r)
		s.answer(t, r)
		got := <-pending
		require.ErrorIs(t, got.err, tasks.ErrTask, name)
		require.ErrorContains(t, got.err, c.says, name)
	}
	// The connection survives all of that, and the next try succeeds.
	pending := w.prove(t, 1, time.Hour)
	s.answer(t, w.honest(t, s.asked(t)))
	require.NoError(t, (<-pending).err)
	pending = w.prove(t, 100, time.Hour)
	s.asked(t)
	require.NoError(t, s.Send(&pb.ServiceResponse{})) // of no kind
	require.ErrorContains(t, (<-pending).err, "expected gen proof response")
}

func TestLateProofsAreRefused(t *testing.T) {
	w := start(t, nil)
	s := register(t, w.plain(t))
	s.introduce(t, w.metadata())
	w.connected(t)
	pending := w.prove(t, 1, 300*time.Millisecond)
	late := w.honest(t, s.asked(t))
	require.ErrorIs(t, (<-pending).err, context.DeadlineExceeded)
	// The next proof is asked for only when the late one has come and was dropped.
	pending = w.prove(t, 2, time.Hour)
	s.answer(t, late)
	challenge := s.asked(t)
	require.Equal(t, byte(2), challenge[0])
	s.answer(t, w.honest(t, challenge))
	require.NoError(t, (<-pending).err)
	_, err := w.space.Prove(t.Context(), w.id, wire.Hash32{1}, time.Now().Add(-time.Second))
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestOneConnectionForAnIdentity(t *testing.T) {
	w := start(t, nil)
	s := register(t, w.plain(t))
	s.introduce(t, w.metadata())
	w.connected(t)
	second := register(t, w.plain(t))
	second.introduce(t, w.metadata())
	_, err := second.Recv()
	require.Equal(t, codes.Unknown, status.Code(err))
	require.ErrorContains(t, err, "post service already registered")
	// When the first one goes in the middle of a proof, the next goes on with it.
	pending := w.prove(t, 1, time.Hour)
	s.asked(t)
	s.leave()
	var third *caller
	require.Eventually(t, func() bool {
		third = register(t, w.plain(t))
		third.introduce(t, w.metadata())
		r, err := third.Recv()
		if err != nil {
			return false
		}
		third.answer(t, w.honest(t, r.GetGenProof().GetChallenge()))
		return true
	}, 30*time.Second, 10*time.Millisecond)
	require.NoError(t, (<-pending).err)
	third.leave()
	require.Eventually(t, func() bool {
		_, ok, err := w.space.Info(t.Context(), w.id)
		return err == nil && !ok
	}, 20*time.Second, 5*time.Millisecond)
}

func TestStreamsThatDoNotBehaveEnd(t *testing.T) {
	w := start(t, nil)
	w.mu.Lock()
	w.allowed = false
	w.mu.Unlock()
	_, err := register(t, w.plain(t)).Recv()
	require.Equal(t, codes.FailedPrecondition, status.Code(err))
	require.ErrorContains(t, err, "connection not allowed: node has no coinbase set in config")
	w.mu.Lock()
	w.allowed = true
	w.mu.Unlock()
	for says, r := range map[string]*pb.ServiceResponse{
		"expected metadata response, got": {Kind: &pb.ServiceResponse_GenProof{GenProof: working}},
		"expected metadata, got empty":    {Kind: &pb.ServiceResponse_Metadata{Metadata: &pb.MetadataResponse{}}},
		"must have 32":                    {Kind: &pb.ServiceResponse_Metadata{Metadata: &pb.MetadataResponse{Meta: &pb.Metadata{NodeId: []byte{1}}}}},
	} {
		s := register(t, w.plain(t))
		_, err := s.Recv()
		require.NoError(t, err)
		require.NoError(t, s.Send(r))
		_, err = s.Recv()
		require.Equal(t, codes.Unknown, status.Code(err))
		require.ErrorContains(t, err, says)
	}
	s := register(t, w.plain(t))
	s.introduce(t, w.metadata())
	w.connected(t)
	s.answer(t, working) // nobody asked
	_, err = s.Recv()
	require.ErrorContains(t, err, "response without a request")

	// 10 MiB are the limit of a message.
	s = register(t, w.plain(t))
	m := w.metadata()
	m.NodeId = make([]byte, 11<<20)
	_, err = s.Recv()
	require.NoError(t, err)
	_ = s.Send(&pb.ServiceResponse{Kind: &pb.ServiceResponse_Metadata{Metadata: &pb.MetadataResponse{Meta: m}}})
	_, err = s.Recv()
	require.Error(t, err)
	w.stop() // with a connection that waits
}

func TestAPortThatIsTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	_, err = New(Config{Plain: l.Addr().String()}, Deps{Log: slog.New(slog.DiscardHandler)})
	require.ErrorContains(t, err, l.Addr().String())
	require.ErrorContains(t, err, "address already in use")
	_, err = New(Config{TLS: "127.0.0.1:0", CertFile: "nowhere"}, Deps{Log: slog.New(slog.DiscardHandler)})
	require.ErrorContains(t, err, "certificate")
}

// authority signs certificates into files.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T) *authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	a := &authority{cert, key, filepath.Join(t.TempDir(), "ca.pem")}
	writePEM(t, a.file, "CERTIFICATE", der)
	return a
}

func writePEM(t *testing.T, path, kind string, der []byte) {
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
}

func (a *authority) issue(t *testing.T) (certFile, keyFile string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"}, NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, a.cert, &key.PublicKey, a.key)
	require.NoError(t, err)
	raw, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writePEM(t, certFile, "CERTIFICATE", der)
	writePEM(t, keyFile, "EC PRIVATE KEY", raw)
	return certFile, keyFile
}

func (a *authority) client(t *testing.T, server *authority) credentials.TransportCredentials {
	roots := x509.NewCertPool()
	roots.AddCert(server.cert)
	cfg := &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS12}
	if a != nil {
		certFile, keyFile := a.issue(t)
		own, err := tls.LoadX509KeyPair(certFile, keyFile)
		require.NoError(t, err)
		cfg.Certificates = []tls.Certificate{own}
	}
	return credentials.NewTLS(cfg)
}

func TestMutualTLS(t *testing.T) {
	ca, foreign := newAuthority(t), newAuthority(t)
	w := start(t, func(c *Config) {
		c.TLS, c.CAFile = "127.0.0.1:0", ca.file
		c.CertFile, c.KeyFile = ca.issue(t)
	})
	for _, creds := range []credentials.TransportCredentials{
		insecure.NewCredentials(), (*authority)(nil).client(t, ca), foreign.client(t, ca),
	} {
		stream, err := pb.NewPostServiceClient(dial(t, w.Addr("tls"), creds)).Register(t.Context())
		if err == nil {
			_, err = stream.Recv()
		}
		require.Equal(t, codes.Unavailable, status.Code(err))
	}
	s := register(t, dial(t, w.Addr("tls"), ca.client(t, ca)))
	s.introduce(t, w.metadata())
	w.connected(t)
	pending := w.prove(t, 1, time.Hour)
	s.answer(t, w.honest(t, s.asked(t)))
	require.NoError(t, (<-pending).err)
}
