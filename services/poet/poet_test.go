package poet

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/poet/rest"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/telemetry"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/poet/internal/rpc"
)

// quick is a network whose rounds work for a second.
func quick() network.Params {
	p := network.Standalone()
	p.Genesis.Time = time.Now()
	p.LayersPerEpoch, p.LayerDuration = 10, 150*time.Millisecond
	p.Poet.PhaseShift, p.Poet.CycleGap = 700*time.Millisecond, 500*time.Millisecond
	return p
}

type world struct {
	t   *testing.T
	url string
	cfg Config
	dir string
	now func() time.Time // nil is the machine's clock
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, url: storetest.URL(t, Schema()), dir: t.TempDir()}
	w.cfg = Config{
		Network: quick(), Listen: "127.0.0.1:0", ListenRPC: "127.0.0.1:0", Dir: w.dir, LeaseTTL: time.Second, Instance: "test",
	}
	return w
}

// start runs a service; the function stops it.
func (w *world) start(change func(*Config)) (*Service, func()) {
	cfg := w.cfg
	if change != nil {
		change(&cfg)
	}
	log := telemetry.NewLogger(io.Discard, telemetry.DefaultLogConfig())
	s, err := New(cfg, Deps{DB: storetest.Open(w.t, w.url, "poet"), Log: log, Registry: prometheus.NewPedanticRegistry(), Now: w.now})
	require.NoError(w.t, err)
	require.Error(w.t, s.Ready())
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	require.Eventually(w.t, func() bool { return s.Ready() == nil }, 10*time.Second, time.Millisecond)
	stop := sync.OnceFunc(func() { cancel(); require.NoError(w.t, <-done) })
	w.t.Cleanup(stop)
	return s, stop
}

func (w *world) call(s *Service, method, path string, body []byte) (int, []byte) {
	req, err := http.NewRequestWithContext(w.t.Context(), method, fmt.Sprintf("http://%s%s", s.Addr(), path), bytes.NewReader(body))
	require.NoError(w.t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(w.t, err)
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(w.t, err)
	return resp.StatusCode, raw
}

func (w *world) pow(s *Service) poet.PowParams {
	code, body := w.call(s, http.MethodGet, "/v1/pow_params", nil)
	require.Equal(w.t, 200, code)
	params, err := rest.ParsePowParams(body)
	require.NoError(w.t, err)
	return params
}

func request(key ed25519.PrivateKey, challenge byte, pow poet.PowParams) *rest.SubmitRequest {
	r := &rest.SubmitRequest{
		Prefix: []byte("net"), Challenge: bytes.Repeat([]byte{challenge}, 32), Pubkey: key.Public().(ed25519.PublicKey), Pow: pow,
	}
	r.Signature = ed25519.Sign(key, append([]byte("net"), r.Challenge...))
	return r
}

func key(i byte) ed25519.PrivateKey { return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{i}, 32)) }

func (w *world) register(s *Service, r *rest.SubmitRequest) rest.Registered {
	code, body := w.call(s, http.MethodPost, "/v1/submit", r.Body())
	require.Equal(w.t, 200, code, "%s", body)
	registered, err := rest.ParseRegistered(body)
	require.NoError(w.t, err)
	return registered
}

func (w *world) proof(s *Service, round string) rest.Proof {
	var raw []byte
	require.Eventually(w.t, func() bool {
		code, body := w.call(s, http.MethodGet, "/v1/proofs/"+round, nil)
		raw = body
		return code == 200
	}, 30*time.Second, 10*time.Millisecond)
	proof, err := rest.ParseProof(raw)
	require.NoError(w.t, err)
	return proof
}

// check verifies a published round as a node would.
func (w *world) check(round string, proof rest.Proof, challenges ...byte) {
	var members []poet.Node
	for _, m := range proof.Members {
		members = append(members, [32]byte(m))
	}
	message := poet.NewMessage(proof.Proof, proof.Pubkey, round, members)
	require.NoError(w.t, poet.VerifyMessage(message))
	tree := poet.NewMembershipTree(members)
	for _, c := range challenges {
		_, ok := tree.ProveChallenge(poet.Node(bytes.Repeat([]byte{c}, 32)))
		require.True(w.t, ok, "challenge %d", c)
	}
	require.Len(w.t, members, len(challenges))
}

func TestARound(t *testing.T) {
	w := newWorld(t)
	s, _ := w.start(nil)
	pow := w.pow(s)
	first := w.register(s, request(key(1), 7, pow))
	require.LessOrEqual(t, first.Remaining, time.Until(w.cfg.Network.Genesis.Time.Add(10*time.Second)))
	require.Equal(t, first.RoundID, w.register(s, request(key(1), 7, pow)).RoundID) // a repeat
	code, body := w.call(s, http.MethodPost, "/v1/submit", request(key(1), 8, pow).Body())
	require.Equal(t, 409, code, "%s", body)
	bad := request(key(2), 8, pow)
	bad.Signature[0]++
	code, _ = w.call(s, http.MethodPost, "/v1/submit", bad.Body())
	require.Equal(t, 400, code)

	conn, err := grpc.NewClient(s.RPCAddr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	client := rpc.NewPoetServiceClient(conn)
	r := request(key(3), 9, pow)
	reply, err := client.Submit(t.Context(), &rpc.SubmitRequest{
		Prefix: r.Prefix, Challenge: r.Challenge, Pubkey: r.Pubkey, Signature: r.Signature,
		PowParams: &rpc.PowParams{Difficulty: pow.Difficulty, Challenge: pow.Challenge},
	})
	require.NoError(t, err)
	require.Equal(t, first.RoundID, reply.GetRoundId())
	_, err = client.Proof(t.Context(), &rpc.ProofRequest{RoundId: first.RoundID})
	require.Equal(t, codes.NotFound, status.Code(err))
	info, err := client.Info(t.Context(), &rpc.InfoRequest{})
	require.NoError(t, err)
	require.Equal(t, w.cfg.Network.Poet.PhaseShift, info.GetPhaseShift().AsDuration())

	proof := w.proof(s, first.RoundID)
	require.Equal(t, info.GetServicePubkey(), proof.Pubkey)
	w.check(first.RoundID, proof, 7, 9)
	overRPC, err := client.Proof(t.Context(), &rpc.ProofRequest{RoundId: first.RoundID})
	require.NoError(t, err)
	require.Equal(t, proof.Proof.LeafCount, overRPC.GetProof().GetLeaves())
	// Its root is the next challenge; the one before counts as well.
	require.Eventually(t, func() bool { return bytes.Equal(w.pow(s).Challenge, proof.Proof.Root) }, 10*time.Second, 10*time.Millisecond)
	next := w.register(s, request(key(4), 10, pow))
	require.NotEqual(t, first.RoundID, next.RoundID)
}

// A worker that stops in the middle of a round goes on when it is started again,
// while another front end takes registrations.
func TestARoundOutlivesItsWorker(t *testing.T) {
	w := newWorld(t)
	front, _ := w.start(func(c *Config) { c.Dir = "" })
	first, stop := w.start(func(c *Config) { c.Listen = "" })
	registered := w.register(front, request(key(1), 7, w.pow(front)))
	round, err := strconv.ParseUint(registered.RoundID, 10, 32)
	require.NoError(t, err)
	var before uint64
	require.Eventually(t, func() bool {
		at, leaves := first.worker.Load().Leaves()
		before = leaves
		return uint64(at) == round && leaves > 1000
	}, 20*time.Second, time.Millisecond)
	stop()
	_, _ = w.start(func(c *Config) { c.Listen = "" })
	proof := w.proof(front, registered.RoundID)
	require.Greater(t, proof.Proof.LeafCount, before)
	w.check(registered.RoundID, proof, 7)
}

// A clock that is set back leaves the round open that was, and its members in it; one
// that is set forward costs the rounds that it passes, and the next one is as any other.
func TestTheClockIsSet(t *testing.T) {
	w := newWorld(t)
	var offset atomic.Int64
	w.now = func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }
	s, _ := w.start(nil)
	first := w.register(s, request(key(1), 7, w.pow(s)))
	offset.Store(int64(-2 * time.Second)) // before the round was opened
	second := w.register(s, request(key(2), 8, w.pow(s)))
	require.Equal(t, first.RoundID, second.RoundID)
	w.check(first.RoundID, w.proof(s, first.RoundID), 7, 8)
	offset.Store(int64(time.Minute))
	var far rest.Registered
	require.Eventually(t, func() bool {
		far = w.register(s, request(key(3), 9, w.pow(s)))
		return far.RoundID != second.RoundID
	}, 10*time.Second, 50*time.Millisecond)
	w.check(far.RoundID, w.proof(s, far.RoundID), 9)
}

func TestManyRegisterAtOnce(t *testing.T) {
	w := newWorld(t)
	s, _ := w.start(func(c *Config) {
		c.Network.Poet.PhaseShift, c.Network.LayerDuration = 30*time.Second, 10*time.Second
		c.MaxMembers = 200
	})
	pow := w.pow(s)
	var group sync.WaitGroup
	codes := make([]int, 200)
	for i := range codes {
		group.Go(func() {
			codes[i], _ = w.call(s, http.MethodPost, "/v1/submit", request(key(byte(i)), byte(i), pow).Body())
		})
	}
	group.Wait()
	taken := 0
	for _, code := range codes {
		if code == 200 {
			taken++
		} else {
			require.Equal(t, 429, code) // what waits counts as taken
		}
	}
	require.Greater(t, taken, 150)
	more, _ := w.call(s, http.MethodPost, "/v1/submit", make([]byte, maxBody+1))
	require.Equal(t, 413, more)
}

func TestARoundWithoutMembers(t *testing.T) {
	w := newWorld(t)
	s, _ := w.start(nil)
	proof := w.proof(s, "0")
	require.Empty(t, proof.Members)
	require.NoError(t, poet.VerifyProof(nil, &wire.PoetProof{
		PoetMerkleProof: proof.Proof.PoetMerkleProof, LeafCount: proof.Proof.LeafCount,
	}, poet.SecurityParam))
}

func TestAnotherCalendarIsRefused(t *testing.T) {
	w := newWorld(t)
	_, stop := w.start(nil)
	stop()
	w.cfg.Network.Poet.CycleGap /= 2
	s, err := New(w.cfg, Deps{DB: storetest.Open(t, w.url, "poet"), Log: telemetry.NewLogger(io.Discard, telemetry.DefaultLogConfig())})
	require.NoError(t, err)
	require.ErrorContains(t, s.Run(t.Context()), "another schedule")
}

func TestNewNamesWhatIsWrong(t *testing.T) {
	_, err := New(Config{CertifierKey: []byte{1}, PowDifficulty: 300, KeptLayer: 40}, Deps{})
	for _, what := range []string{"network", "nothing to do", "certifier key", "pow difficulty", "kept layer", "deps"} {
		require.ErrorContains(t, err, what)
	}
}

func TestShortRoundsKeepMoreOfTheirTree(t *testing.T) {
	require.EqualValues(t, 4, keptLayer(30*time.Second))
	require.EqualValues(t, 8, keptLayer(time.Hour*5))
	require.EqualValues(t, poet.DefaultKeptLayer, keptLayer(13*24*time.Hour))
}

func TestTrustedKeysAreReadAgain(t *testing.T) {
	w := newWorld(t)
	keys := t.TempDir()
	store := func(name string, key ed25519.PrivateKey) {
		text := base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
		require.NoError(t, os.WriteFile(filepath.Join(keys, name), []byte(text+"\n"), 0o600))
	}
	store("first.key", key(1))
	s, _ := w.start(func(c *Config) {
		c.ListenConfig, c.CertifierKeys = "127.0.0.1:0", keys
		c.Network.Poet.PhaseShift, c.Network.LayerDuration = 30*time.Second, 10*time.Second
	})
	conn, err := grpc.NewClient(s.ConfigAddr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	client := rpc.NewConfigurationServiceClient(conn)

	certificate, err := poet.SignCertificate(key(2), poet.Certificate{Pubkey: key(9).Public().(ed25519.PublicKey)})
	require.NoError(t, err)
	r := request(key(9), 7, poet.PowParams{})
	r.Certificate, r.Hint = &certificate, key(2).Public().(ed25519.PublicKey)[:poet.CertificateHintSize]
	code, _ := w.call(s, http.MethodPost, "/v1/submit", r.Body())
	require.Equal(t, 401, code)
	store("second.key", key(2))
	_, err = client.ReloadTrustedKeys(t.Context(), &emptypb.Empty{})
	require.NoError(t, err)
	w.register(s, r)

	require.NoError(t, os.WriteFile(filepath.Join(keys, "third.key"), []byte("no key"), 0o600))
	_, err = client.ReloadTrustedKeys(t.Context(), &emptypb.Empty{})
	require.ErrorContains(t, err, "third.key")
	w.register(s, r) // the keys of before stay

	plain, _ := newWorld(t).start(nil)
	require.ErrorIs(t, plain.reloadTrusted(), errNoCertificates)
}
