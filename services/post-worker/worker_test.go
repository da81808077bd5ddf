package postworker

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/actor"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/post/postdata"
	"github.com/smeshery/smeshery/pkg/post/postdata/cpu"
	"github.com/smeshery/smeshery/pkg/post/randomx"
	"github.com/smeshery/smeshery/pkg/wire"
)

// pow is shared: its memory is large.
var pow = randomx.NewLazy(randomx.Config{Key: []byte(post.PowKey), VMs: 2}, 0)

// fakeQueue is a queue in a test's hands.
type fakeQueue struct {
	mu        sync.Mutex
	waiting   []bus.Task
	stop      []uint64
	asked     []bus.TakeRequest
	beats     map[uint64]bus.Beat
	finished  chan bus.FinishRequest
	announced chan bus.AnnounceRequest
}

type world struct {
	*Service
	queue *fakeQueue
	dir   string
	logs  *logs
	stop  func()
	owner *bus.Conn
}

// logs keeps lines for tests to look at.
type logs struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(b)
}

func (l *logs) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.String()
}

func small() network.Params {
	p := network.Fastnet()
	p.Post.LabelsPerUnit = 256
	return p
}

func start(t *testing.T, dir string, change func(*Config, *Deps)) *world {
	t.Helper()
	w := &world{dir: dir, logs: new(logs), queue: &fakeQueue{
		beats: make(map[uint64]bus.Beat), finished: make(chan bus.FinishRequest, 64), announced: make(chan bus.AnnounceRequest, 8),
	}}
	server, err := bus.StartServer(bus.ServerConfig{StoreDir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	connect := func(service string) *bus.Conn {
		c, err := bus.Connect(bus.Config{Service: service, Server: server}, bus.Deps{})
		require.NoError(t, err)
		t.Cleanup(c.Close)
		return c
	}
	w.owner = connect(bus.ActivationService)
	w.queue.serve(t, w.owner)
	cfg := Config{
		Network: small(), DataDir: dir, Batch: 16, MaxFileSize: 1024, Threads: 1,
		Beat: 10 * time.Millisecond, Poll: 10 * time.Millisecond, Retry: 7 * time.Second,
	}
	deps := Deps{Bus: connect(bus.PostWorkerService), Log: slog.New(slog.NewTextHandler(w.logs, nil)), Pow: pow, Registry: prometheus.NewRegistry()}
	if change != nil {
		change(&cfg, &deps)
	}
	w.Service, err = New(cfg, deps)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	w.stop = sync.OnceFunc(func() { cancel(); require.NoError(t, <-ended) })
	t.Cleanup(w.stop)
	require.Eventually(t, func() bool { return w.Ready() == nil }, 20*time.Second, time.Millisecond)
	return w
}

func (q *fakeQueue) serve(t *testing.T, c *bus.Conn) {
	queue := bus.Queue{Length: 64, Full: actor.Refuse}
	_, err := bus.Serve(t.Context(), c, bus.TakeTasks(), queue, func(_ context.Context, r bus.TakeRequest) (bus.TakeReply, error) {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.asked = append(q.asked, r)
		var out bus.TakeReply
		q.waiting = slices.DeleteFunc(q.waiting, func(t bus.Task) bool {
			fits := slices.Contains(r.Kinds, t.Kind) && len(out.Tasks) < int(r.Max)
			if fits {
				out.Tasks = append(out.Tasks, t)
			}
			return fits
		})
		return out, nil
	})
	require.NoError(t, err)
	_, err = bus.Serve(t.Context(), c, bus.BeatTasks(), queue, func(_ context.Context, r bus.BeatRequest) (bus.BeatReply, error) {
		q.mu.Lock()
		defer q.mu.Unlock()
		for _, b := range r.Beats {
			q.beats[b.ID] = b
		}
		return bus.BeatReply{Stop: q.stop}, nil
	})
	require.NoError(t, err)
	_, err = bus.Serve(t.Context(), c, bus.FinishTask(), queue, func(_ context.Context, r bus.FinishRequest) (bus.None, error) {
		q.finished <- r
		return bus.None{}, nil
	})
	require.NoError(t, err)
	_, err = bus.Serve(t.Context(), c, bus.AnnounceSpaces(), queue, func(_ context.Context, r bus.AnnounceRequest) (bus.AnnounceReply, error) {
		q.announced <- r
		return bus.AnnounceReply{}, nil
	})
	require.NoError(t, err)
}

func (w *world) give(t bus.Task) {
	w.queue.mu.Lock()
	w.queue.waiting = append(w.queue.waiting, t)
	w.queue.mu.Unlock()
	_ = bus.Work(t.Kind.String()).Hint(w.owner, bus.None{})
}

func (w *world) beat(id uint64) bus.Beat {
	w.queue.mu.Lock()
	defer w.queue.mu.Unlock()
	return w.queue.beats[id]
}

func node(n byte) wire.NodeID { return wire.NodeID{n, 9} }

func initTask(id uint64, n byte, units uint32) bus.Task {
	return bus.Task{ID: id, Attempt: 1, Kind: bus.PostInit, Node: node(n), Input: codec.MustEncode(&bus.PostInitInput{Commitment: wire.ATXID{1}, Units: units})}
}

func proveTask(id uint64, n byte) bus.Task {
	return bus.Task{ID: id, Attempt: 1, Kind: bus.PostProve, Node: node(n), Input: codec.MustEncode(&bus.PostProveInput{Challenge: wire.Hash32{4}})}
}

// make fills a directory as another tool would.
func makeData(t *testing.T, dir string, id wire.NodeID, commitment wire.ATXID, units uint32) {
	n := small()
	session, err := postdata.Open(postdata.Options{
		Dir: dir, NodeID: id, CommitmentATX: commitment, NumUnits: units, MaxFileSize: 2048, BatchSize: 64,
		Params: paramsOf(&n), Engine: cpu.New(1),
	})
	require.NoError(t, err)
	require.NoError(t, session.Run(t.Context()))
}

func snapshot(t *testing.T, dir string) map[string]string {
	out := make(map[string]string)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		if raw, err := os.ReadFile(filepath.Join(dir, e.Name())); err == nil {
			out[e.Name()] = string(raw)
		}
	}
	return out
}

func TestMakesAndProvesData(t *testing.T) {
	w := start(t, t.TempDir(), nil)
	w.give(initTask(1, 1, 2))
	end := <-w.queue.finished
	require.Equal(t, bus.TaskDone, end.Outcome, end.Text)
	var data bus.SpaceData
	require.NoError(t, codec.Decode(end.Result, &data))
	require.Equal(t, node(1), data.Node)
	require.True(t, data.Complete)
	w.give(proveTask(2, 1))
	end = <-w.queue.finished
	require.Equal(t, bus.TaskDone, end.Outcome, end.Text)
	var proof bus.PostProveResult
	require.NoError(t, codec.Decode(end.Result, &proof))
	require.Equal(t, data, proof.Data)
	// What lies there is announced by the next worker.
	w.stop()
	next := start(t, w.dir, nil)
	said := <-next.queue.announced
	require.Equal(t, []bus.SpaceData{data}, said.Spaces)
	require.Equal(t, w.disk.name, said.Store)
	require.NotEqual(t, w.name, next.name)
}

func TestRefusesWhatWouldHarmData(t *testing.T) {
	dir := t.TempDir()
	of := func(n byte) string { return filepath.Join(dir, node(n).String()) }
	makeData(t, of(1), node(7), wire.ATXID{1}, 2) // another identity's
	makeData(t, of(2), node(2), wire.ATXID{1}, 3)
	makeData(t, of(3), node(3), wire.ATXID{1}, 2)
	require.NoError(t, os.MkdirAll(of(4), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(of(4), post.MetadataFile), []byte("{"), 0o600))
	before := []map[string]string{snapshot(t, of(1)), snapshot(t, of(2)), snapshot(t, of(3)), snapshot(t, of(4))}
	w := start(t, dir, nil)
	said := <-w.queue.announced
	require.Len(t, said.Spaces, 2)
	require.Contains(t, w.logs.text(), ErrOtherIdentity.Error())
	for _, c := range []struct {
		task bus.Task
		says string
	}{
		{initTask(1, 1, 2), "the data belongs to another identity"},
		{proveTask(2, 1), "the data belongs to another identity"},
		{initTask(3, 2, 2), "holds 3 units, 2 are wanted"},
		{initTask(4, 3, 3), "NumUnits of the directory is 2, not 3"},
		{initTask(5, 4, 2), "bad metadata"},
		{initTask(6, 5, 99), "99 units, at most"},
		{proveTask(7, 6), "metadata file is missing"},
		{bus.Task{ID: 8, Kind: bus.PostProve}, "input"},
	} {
		w.give(c.task)
		end := <-w.queue.finished
		require.Equal(t, c.task.ID, end.ID)
		require.Equal(t, bus.TaskFailed, end.Outcome, end.Text)
		require.Contains(t, end.Text, c.says)
	}
	require.Equal(t, before, []map[string]string{snapshot(t, of(1)), snapshot(t, of(2)), snapshot(t, of(3)), snapshot(t, of(4))})
}

// Data that exists keeps its commitment, also where a node of one identity keeps it.
func TestUsesDataThatExists(t *testing.T) {
	dir := t.TempDir()
	makeData(t, dir, node(1), wire.ATXID{42}, 2)
	w := start(t, dir, nil)
	require.Len(t, (<-w.queue.announced).Spaces, 1)
	w.give(initTask(1, 1, 2))
	end := <-w.queue.finished
	require.Equal(t, bus.TaskDone, end.Outcome, end.Text)
	var data bus.SpaceData
	require.NoError(t, codec.Decode(end.Result, &data))
	require.Equal(t, wire.ATXID{42}, data.Commitment)
}

func TestAFullDiskIsNoLoss(t *testing.T) {
	w := start(t, t.TempDir(), nil)
	dir := filepath.Join(w.dir, node(1).String())
	require.NoError(t, os.MkdirAll(dir, 0o700))
	full := filepath.Join(dir, postdata.FileName(1))
	require.NoError(t, os.Symlink("/dev/full", full)) // the first file fits, the second does not
	w.give(initTask(1, 1, 2))
	end := <-w.queue.finished
	require.Equal(t, bus.TaskBack, end.Outcome)
	require.Contains(t, end.Text, "disk is full")
	require.EqualValues(t, 7000, end.Delay)
	require.False(t, end.Release) // a file is here
	first := filepath.Join(dir, postdata.FileName(0))
	made, err := os.Stat(first)
	require.NoError(t, err)
	require.NoError(t, os.Remove(full))
	w.give(initTask(2, 1, 2))
	end = <-w.queue.finished
	require.Equal(t, bus.TaskDone, end.Outcome, end.Text)
	after, err := os.Stat(first)
	require.NoError(t, err)
	require.Equal(t, made.ModTime(), after.ModTime())

	// A directory that cannot be made: another disk may have the identity.
	require.NoError(t, os.WriteFile(filepath.Join(w.dir, node(2).String()), nil, 0o600))
	w.give(initTask(3, 2, 2))
	end = <-w.queue.finished
	require.Equal(t, bus.TaskBack, end.Outcome)
	require.True(t, end.Release)
}

func TestWrongLabelsAreNotHandedIn(t *testing.T) {
	dir := t.TempDir()
	of := filepath.Join(dir, node(1).String())
	makeData(t, of, node(1), wire.ATXID{1}, 2)
	for name, raw := range snapshot(t, of) {
		if name != post.MetadataFile {
			b := []byte(raw)
			for i := range b {
				b[i] ^= byte(i*7 + 1)
			}
			require.NoError(t, os.WriteFile(filepath.Join(of, name), b, 0o600))
		}
	}
	w := start(t, dir, nil)
	w.give(proveTask(1, 1))
	end := <-w.queue.finished
	require.Equal(t, bus.TaskFailed, end.Outcome)
	require.Contains(t, end.Text, errBadProof.Error())
	require.NoError(t, os.Truncate(filepath.Join(of, postdata.FileName(0)), 16))
	w.give(proveTask(2, 1))
	end = <-w.queue.finished
	require.Equal(t, bus.TaskFailed, end.Outcome)
	require.Contains(t, end.Text, "not complete")
}

// gated makes labels when the test lets it.
type gated struct {
	post.Engine
	gate chan struct{}
}

func (g *gated) Labels(job post.LabelJob, out []byte) (post.NonceSearch, error) {
	<-g.gate
	return g.Engine.Labels(job, out)
}

func TestTasksEndWhenTheyAreNotWanted(t *testing.T) {
	gate := make(chan struct{}, 1024)
	w := start(t, t.TempDir(), func(_ *Config, d *Deps) {
		d.Engine = func() post.Engine { return &gated{cpu.New(1), gate} }
	})
	makeData(t, filepath.Join(w.dir, node(2).String()), node(2), wire.ATXID{1}, 2)
	w.give(initTask(1, 1, 2))
	gate <- struct{}{}
	require.Eventually(t, func() bool { return w.beat(1).Done > 0 }, 20*time.Second, time.Millisecond)
	require.EqualValues(t, 512, w.beat(1).Total)
	// Data that is being made keeps no proof waiting, but another identity's data.
	w.give(initTask(2, 3, 2))
	w.give(proveTask(3, 2))
	end := <-w.queue.finished
	require.Equal(t, bus.TaskDone, end.Outcome, end.Text)
	require.EqualValues(t, 3, end.ID)
	w.queue.mu.Lock()
	w.queue.stop = []uint64{1, 77}
	for _, r := range w.queue.asked {
		require.LessOrEqual(t, r.Max, uint32(2))
	}
	w.queue.mu.Unlock()
	require.Eventually(t, func() bool { return w.running.cancelled(1) }, 20*time.Second, time.Millisecond)
	close(gate)
	end = <-w.queue.finished // of the second one: the first says nothing
	require.EqualValues(t, 2, end.ID)
	require.Equal(t, bus.TaskDone, end.Outcome, end.Text)
	require.Contains(t, w.logs.text(), "task is not wanted any more")

	late := proveTask(4, 2)
	late.Left = 1
	late.Node = node(2)
	w.give(late)
	w.give(proveTask(5, 2))
	for {
		if end = <-w.queue.finished; end.ID == 5 {
			break // the late one may have been in time
		}
	}
}

func (r *running) cancelled(id uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	j, ok := r.tasks[id]
	return ok && j.stopped.Load()
}

func TestStoppingGivesTasksBack(t *testing.T) {
	gate := make(chan struct{}, 1024)
	w := start(t, t.TempDir(), func(_ *Config, d *Deps) {
		d.Engine = func() post.Engine { return &gated{cpu.New(1), gate} }
	})
	w.give(initTask(1, 1, 2))
	gate <- struct{}{}
	require.Eventually(t, func() bool { return w.beat(1).Done > 0 }, 20*time.Second, time.Millisecond)
	stopped := make(chan struct{})
	go func() { defer close(stopped); w.stop() }()
	require.Eventually(t, func() bool { return w.running.cancelled(1) }, 20*time.Second, time.Millisecond)
	close(gate)
	end := <-w.queue.finished
	require.Equal(t, bus.TaskBack, end.Outcome)
	require.Zero(t, end.Delay)
	<-stopped
	require.Error(t, w.Ready())
	next := start(t, w.dir, nil)
	require.Len(t, (<-next.queue.announced).Spaces, 1) // what is there already
	next.give(initTask(1, 1, 2))
	require.Equal(t, bus.TaskDone, (<-next.queue.finished).Outcome)
}

// exploding panics.
type exploding struct{}

func (exploding) Labels(post.LabelJob, []byte) (post.NonceSearch, error) { panic("boom") }

func TestAPanicIsASetback(t *testing.T) {
	w := start(t, t.TempDir(), func(_ *Config, d *Deps) { d.Engine = func() post.Engine { return exploding{} } })
	w.give(initTask(1, 1, 2))
	end := <-w.queue.finished
	require.Equal(t, bus.TaskBack, end.Outcome)
	require.Contains(t, end.Text, "boom")
}

func TestNewNamesAllThatIsWrong(t *testing.T) {
	_, err := New(Config{Nonces: 3, MaxFileSize: 5, Kinds: []bus.TaskKind{bus.PostInit, 99}}, Deps{})
	for _, what := range []string{"network", "nonces", "max file size", "99 is unknown", "needs a data directory", "deps"} {
		require.ErrorContains(t, err, what)
	}
	require.Empty(t, Schema().Name)
}

// A worker without a disk still solves and verifies.
func TestWithoutADisk(t *testing.T) {
	w := start(t, "", nil)
	in := &bus.K2PowInput{Group: 2, Difficulty: small().Post.PowDifficulty}
	w.give(bus.Task{ID: 1, Kind: bus.K2Pow, Node: node(1), Input: codec.MustEncode(in)})
	require.Equal(t, bus.TaskDone, (<-w.queue.finished).Outcome)
	w.give(bus.Task{ID: 2, Kind: bus.PostVerify, Node: node(1), Input: codec.MustEncode(&bus.PostVerifyInput{Units: 2})})
	end := <-w.queue.finished
	require.Equal(t, bus.TaskDone, end.Outcome)
	var verdict bus.PostVerifyResult
	require.NoError(t, codec.Decode(end.Result, &verdict))
	require.NotEmpty(t, verdict.Rule)
	w.queue.mu.Lock()
	defer w.queue.mu.Unlock()
	for _, r := range w.queue.asked {
		require.Empty(t, r.Store)
		require.NotContains(t, r.Kinds, bus.PostInit)
	}
}

func TestOthersSolve(t *testing.T) {
	dir := t.TempDir()
	makeData(t, filepath.Join(dir, node(1).String()), node(1), wire.ATXID{1}, 2)
	w := start(t, dir, func(c *Config, _ *Deps) { c.DelegatePow, c.Nonces = true, 32 })
	var mu sync.Mutex
	asked := make(map[uint8]int)
	_, err := bus.Serve(t.Context(), w.owner, bus.SubmitTask(), bus.Queue{Length: 64, Full: actor.Refuse},
		func(ctx context.Context, r bus.SubmitRequest) (reply bus.TaskReply, err error) {
			mu.Lock()
			defer mu.Unlock()
			var in bus.K2PowInput
			if err := codec.Decode(r.Input, &in); err != nil {
				return reply, err
			}
			if asked[in.Group]++; asked[in.Group] < 3 {
				return bus.TaskReply{State: bus.TaskRunning}, nil
			}
			nonce, err := pow.Solve(ctx, post.PowTask{Group: in.Group, Challenge: in.Challenge, NodeID: r.Node, Difficulty: in.Difficulty})
			return bus.TaskReply{State: bus.TaskCompleted, Result: codec.MustEncode(&bus.K2PowResult{Pow: nonce})}, err
		})
	require.NoError(t, err)
	w.give(proveTask(1, 1))
	end := <-w.queue.finished
	require.Equal(t, bus.TaskDone, end.Outcome, end.Text)
	require.Len(t, asked, 2)
	w.queue.mu.Lock()
	defer w.queue.mu.Unlock()
	for _, r := range w.queue.asked {
		require.NotContains(t, r.Kinds, bus.K2Pow)
	}
}
