package test

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/post/postdata"
	"github.com/smeshery/smeshery/pkg/post/postdata/cpu"
	"github.com/smeshery/smeshery/pkg/post/randomx"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation"
	postworker "github.com/smeshery/smeshery/services/post-worker"
)

// Environment of a worker in a process of its own, which a test kills.
const (
	workerURL = "SMESHERY_TEST_WORKER_URL"
	workerDir = "SMESHERY_TEST_WORKER_DIR"
)

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

// smallPost is a network whose data takes a moment.
func smallPost() network.Params {
	p := network.Fastnet()
	p.Post.LabelsPerUnit, p.Post.ScryptN = 1024, 2
	return p
}

func connectAs(t *testing.T, url, service string) *bus.Conn {
	c, err := bus.Connect(bus.Config{Service: service, URL: url}, bus.Deps{})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// running runs a service until the test ends.
func running(t testing.TB, s interface {
	Run(context.Context) error
	Ready() error
},
) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			cancel()
			require.NoError(t, <-ended)
		}
	}
	t.Cleanup(stop)
	require.Eventually(t, func() bool { return s.Ready() == nil }, 30*time.Second, time.Millisecond)
	return stop
}

// slow makes labels so slowly that a worker can be killed on the way.
type slow struct {
	post.Engine
	gate <-chan time.Time
}

func (s *slow) Labels(job post.LabelJob, out []byte) (post.NonceSearch, error) {
	<-s.gate
	return s.Engine.Labels(job, out)
}

func worker(conn *bus.Conn, dir string, pause time.Duration) (*postworker.Service, error) {
	deps := postworker.Deps{Bus: conn, Log: slog.New(slog.DiscardHandler)}
	if pause > 0 {
		deps.Engine = func() post.Engine { return &slow{cpu.New(1), time.Tick(pause)} }
	}
	return postworker.New(postworker.Config{
		Network: smallPost(), DataDir: dir, Batch: 64, MaxFileSize: 4096,
		Beat: 50 * time.Millisecond, Poll: 50 * time.Millisecond, Retry: 100 * time.Millisecond,
	}, deps)
}

// TestBeAWorker is the process that is killed; without its environment it has nothing to do.
func TestBeAWorker(t *testing.T) {
	url := os.Getenv(workerURL)
	if url == "" {
		return
	}
	w, err := worker(connectAs(t, url, bus.PostWorkerService), os.Getenv(workerDir), 20*time.Millisecond)
	require.NoError(t, err)
	require.NoError(t, w.Run(t.Context()))
}

// TestPostWorkerKilled: a worker is killed while it makes data; another one goes
// on where the files end, proves, and the proof is good.
func TestPostWorkerKilled(t *testing.T) {
	params := smallPost()
	server, err := bus.StartServer(bus.ServerConfig{StoreDir: t.TempDir(), Listen: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	conn := connectAs(t, server.URL(), bus.ActivationService)
	require.NoError(t, bus.EnsureStreams(t.Context(), conn, 1))
	db := storetest.Open(t, storetest.URL(t, activation.Schema()), "activation")
	act, err := activation.New(activation.Config{
		Network: params, Seed: []byte("seed"), LocalSpace: true, WorkerLost: 500 * time.Millisecond,
	}, activation.Deps{DB: db, Bus: conn, Log: slog.New(slog.DiscardHandler), Clock: systemClock{}})
	require.NoError(t, err)
	running(t, act)

	dir := t.TempDir()
	victim := exec.Command(os.Args[0], "-test.run=^TestBeAWorker$")
	victim.Env = append(os.Environ(), workerURL+"="+server.URL(), workerDir+"="+dir)
	require.NoError(t, victim.Start())

	client := connectAs(t, server.URL(), bus.APIService)
	id, units := wire.NodeID{1, 2, 3}, params.Post.MaxNumUnits
	submit := func(kind bus.TaskKind, input codec.Coded) bus.TaskReply {
		r, err := bus.SubmitTask().Call(t.Context(), client, bus.SubmitRequest{
			Kind: kind, Node: id, Input: codec.MustEncode(input), Left: uint64(time.Hour.Milliseconds()),
		})
		require.NoError(t, err)
		return r
	}
	setup := &bus.PostInitInput{Commitment: wire.ATXID{9}, Units: units}
	submit(bus.PostInit, setup)
	first := filepath.Join(dir, id.String(), postdata.FileName(1))
	require.Eventually(t, func() bool { _, err := os.Stat(first); return err == nil }, 60*time.Second, time.Millisecond)
	require.NoError(t, victim.Process.Kill())
	_ = victim.Wait()
	done := func(kind bus.TaskKind, input codec.Coded) []byte {
		var r bus.TaskReply
		require.Eventually(t, func() bool {
			r = submit(kind, input)
			return r.State >= bus.TaskCompleted
		}, 60*time.Second, 5*time.Millisecond)
		require.Equal(t, bus.TaskCompleted, r.State, r.Text)
		return r.Result
	}
	require.Equal(t, bus.TaskRunning, submit(bus.PostInit, setup).State)

	w, err := worker(connectAs(t, server.URL(), bus.PostWorkerService), dir, 0)
	require.NoError(t, err)
	running(t, w)
	var data bus.SpaceData
	require.NoError(t, codec.Decode(done(bus.PostInit, setup), &data))
	require.Equal(t, units, data.Units)
	check := postdata.CheckConfig{Scrypt: post.Scrypt{N: uint64(params.Post.ScryptN), R: 1, P: 1}, Percent: 100}
	require.NoError(t, postdata.Check(t.Context(), filepath.Join(dir, id.String()), check))

	challenge := wire.Hash32{7}
	var proof bus.PostProveResult
	require.NoError(t, codec.Decode(done(bus.PostProve, &bus.PostProveInput{Challenge: challenge}), &proof))
	pow := randomx.NewLazy(randomx.Config{Key: []byte(post.PowKey), VMs: 1}, time.Minute)
	defer pow.Close()
	verifier, err := post.NewVerifier(post.Params{
		MinNumUnits: params.Post.MinNumUnits, MaxNumUnits: params.Post.MaxNumUnits, LabelsPerUnit: params.Post.LabelsPerUnit,
		K1: params.Post.K1, K2: params.Post.K2, K3: params.Post.K3, PowDifficulty: params.Post.PowDifficulty, Scrypt: check.Scrypt,
	}, pow, 1)
	require.NoError(t, err)
	require.NoError(t, verifier.Verify(&post.Task{
		Proof:  post.Proof{Nonce: proof.Post.Nonce, Indices: proof.Post.Indices, Pow: proof.Post.Pow},
		Select: post.All(), Statement: post.Statement{NodeID: id, CommitmentATX: data.Commitment, Challenge: challenge, NumUnits: units},
	}))
	require.NoError(t, verifier.VerifyNonce(&post.NonceClaim{
		NodeID: id, CommitmentATX: data.Commitment, NumUnits: units, LabelsPerUnit: data.LabelsPerUnit, Nonce: *data.Nonce,
	}))
	verdict := new(bus.PostVerifyResult)
	in := &bus.PostVerifyInput{Post: proof.Post, Commitment: data.Commitment, Challenge: challenge, Units: units}
	require.NoError(t, codec.Decode(done(bus.PostVerify, in), verdict))
	require.Empty(t, verdict.Rule)
	in.Challenge[31]++
	require.NoError(t, codec.Decode(done(bus.PostVerify, in), verdict))
	require.NotEmpty(t, verdict.Rule)
	puzzle := &bus.K2PowInput{Group: 3, Challenge: [8]byte{1}, Difficulty: params.Post.PowDifficulty}
	solved := new(bus.K2PowResult)
	require.NoError(t, codec.Decode(done(bus.K2Pow, puzzle), solved))
	ok, err := (&post.PowTask{Group: 3, Challenge: puzzle.Challenge, NodeID: id, Difficulty: puzzle.Difficulty}).Check(pow, solved.Pow)
	require.NoError(t, err)
	require.True(t, ok)
}
