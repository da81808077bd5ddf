package bus_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/actor"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/wire"
)

func server(t testing.TB) *bus.Server {
	t.Helper()
	s, err := bus.StartServer(bus.ServerConfig{Name: "test", StoreDir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	return s
}

func connect(t testing.TB, s *bus.Server, service string) *bus.Conn {
	t.Helper()
	c, err := bus.Connect(bus.Config{Service: service, Server: s}, bus.Deps{})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

var queue = bus.Queue{Length: 64, Full: actor.Refuse}

func accept(context.Context, bus.PeerMessage) (bus.Judgement, error) {
	return bus.Judgement{Verdict: bus.Accept}, nil
}

func TestAJudgementTravelsBothWays(t *testing.T) {
	t.Parallel()
	s := server(t)
	owner, gossip := connect(t, s, bus.ActivationService), connect(t, s, bus.GossipService)
	want := bus.Judgement{
		Verdict: bus.Ignore, Reason: "missing", Detail: strings.Repeat("d", 1<<20),
		Missing: []bus.Missing{{Kind: bus.KindPoet, Hash: wire.Sum([]byte("x"))}},
	}
	var got bus.FetchedObject
	_, err := bus.Serve(t.Context(), owner, bus.SyncIn(bus.KindATX), queue, func(_ context.Context, o bus.FetchedObject) (bus.Judgement, error) {
		got = o
		return want, nil
	})
	require.NoError(t, err)
	sent := bus.FetchedObject{Peer: "12D3", Hash: wire.Sum([]byte("atx")), Body: make([]byte, 2<<20)}
	j, err := bus.SyncIn(bus.KindATX).Call(t.Context(), gossip, sent)
	require.NoError(t, err)
	require.Equal(t, sent, got)
	require.Len(t, j.Detail, 1<<16)
	j.Detail, want.Detail = "", ""
	require.Equal(t, want, j)
}

func TestOurFailureIsNoVerdict(t *testing.T) {
	t.Parallel()
	s := server(t)
	owner, gossip := connect(t, s, bus.StateService), connect(t, s, bus.GossipService)
	e := bus.GossipIn(bus.TopicTransaction)
	for name, c := range map[string]struct {
		handler bus.Handler[bus.PeerMessage, bus.Judgement]
		code    bus.Code
	}{
		"error": {func(context.Context, bus.PeerMessage) (bus.Judgement, error) {
			return bus.Judgement{Verdict: bus.Reject}, errors.New("disk")
		}, bus.Internal},
		"panic":   {func(context.Context, bus.PeerMessage) (bus.Judgement, error) { panic("bug") }, bus.Internal},
		"verdict": {func(context.Context, bus.PeerMessage) (bus.Judgement, error) { return bus.Judgement{Verdict: 9}, nil }, bus.Internal},
		"own code": {func(context.Context, bus.PeerMessage) (bus.Judgement, error) {
			return bus.Judgement{}, bus.Errorf(bus.Conflict, "line\r\nbreak")
		}, bus.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			sub, err := bus.Serve(t.Context(), owner, e, queue, c.handler)
			require.NoError(t, err)
			defer sub.Drain(t.Context())
			j, err := e.Call(t.Context(), gossip, bus.PeerMessage{Body: []byte{1}})
			require.ErrorIs(t, err, c.code)
			require.Equal(t, bus.Unknown, j.Verdict)
			if name == "own code" {
				require.ErrorContains(t, err, "line\r\nbreak")
			}
		})
	}
}

func TestNobodyServes(t *testing.T) {
	t.Parallel()
	c := connect(t, server(t), bus.GossipService)
	_, err := bus.GossipIn(bus.TopicATX).Call(t.Context(), c, bus.PeerMessage{})
	require.ErrorIs(t, err, bus.Unavailable)
}

func TestOnlyTheOwnerServes(t *testing.T) {
	t.Parallel()
	c := connect(t, server(t), bus.GossipService)
	_, err := bus.Serve(t.Context(), c, bus.GossipIn(bus.TopicATX), queue, accept)
	require.ErrorContains(t, err, "owned by activation")
}

func TestTheGossipPathDoesNotBlock(t *testing.T) {
	t.Parallel()
	c := connect(t, server(t), bus.ActivationService)
	_, err := bus.Serve(t.Context(), c, bus.GossipIn(bus.TopicATX), bus.Queue{Length: 1, Full: actor.Block}, accept)
	require.ErrorContains(t, err, "must not block")
	_, err = bus.Serve(t.Context(), c, bus.GossipIn(bus.TopicATX), bus.Queue{Length: 1}, accept)
	require.ErrorContains(t, err, "policy")
}

// blocked serves an endpoint whose handler says when it starts and waits.
func blocked(t *testing.T, c *bus.Conn, q bus.Queue) (started chan string, release chan struct{}) {
	t.Helper()
	started, release = make(chan string, 16), make(chan struct{})
	_, err := bus.Serve(t.Context(), c, bus.GossipIn(bus.TopicATX), q, func(ctx context.Context, m bus.PeerMessage) (bus.Judgement, error) {
		started <- string(m.Body)
		select {
		case <-release:
		case <-ctx.Done():
		}
		return bus.Judgement{Verdict: bus.Accept}, nil
	})
	require.NoError(t, err)
	return started, release
}

func TestAFullQueueAnswersBusy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		full actor.Overflow
		busy string
	}{"refuse": {actor.Refuse, "third"}, "drop oldest": {actor.DropOldest, "second"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := server(t)
			owner, gossip := connect(t, s, bus.ActivationService), connect(t, s, bus.GossipService)
			started, release := blocked(t, owner, bus.Queue{Length: 1, Full: c.full})
			results := make(map[string]chan error)
			for _, body := range []string{"first", "second", "third"} {
				done := make(chan error, 1)
				results[body] = done
				go func() {
					_, err := bus.GossipIn(bus.TopicATX).Call(t.Context(), gossip, bus.PeerMessage{Body: []byte(body)})
					done <- err
				}()
				if body == "first" {
					require.Equal(t, "first", <-started)
				}
				if body == "second" {
					awaitQueue(t, owner, 1)
				}
			}
			require.ErrorIs(t, <-results[c.busy], bus.Busy)
			close(release)
			for body, done := range results {
				if body != c.busy {
					require.NoError(t, <-done, body)
				}
			}
		})
	}
}

func awaitQueue(t *testing.T, c *bus.Conn, n int) {
	t.Helper()
	require.Eventually(t, func() bool { return c.Waiting(bus.GossipIn(bus.TopicATX).Subject()) == n }, 10*time.Second, time.Millisecond)
}

func TestTheHandlerGetsTheRestOfTheDeadline(t *testing.T) {
	t.Parallel()
	s := server(t)
	owner, gossip := connect(t, s, bus.ActivationService), connect(t, s, bus.GossipService)
	left := make(chan time.Duration, 1)
	ended := make(chan error, 1)
	_, err := bus.Serve(t.Context(), owner, bus.GossipIn(bus.TopicATX), queue, func(ctx context.Context, _ bus.PeerMessage) (bus.Judgement, error) {
		at, _ := ctx.Deadline()
		left <- time.Until(at)
		<-ctx.Done()
		ended <- ctx.Err()
		return bus.Judgement{}, ctx.Err()
	})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err = bus.GossipIn(bus.TopicATX).Call(ctx, gossip, bus.PeerMessage{})
	require.ErrorIs(t, err, bus.Late)
	require.LessOrEqual(t, <-left, 300*time.Millisecond)
	require.ErrorIs(t, <-ended, context.DeadlineExceeded)
}

func TestWhatExpiredInTheQueueIsNotHandled(t *testing.T) {
	t.Parallel()
	s := server(t)
	owner, gossip := connect(t, s, bus.ActivationService), connect(t, s, bus.GossipService)
	started, release := blocked(t, owner, queue)
	first := make(chan error, 1)
	go func() {
		_, err := bus.GossipIn(bus.TopicATX).Call(t.Context(), gossip, bus.PeerMessage{Body: []byte("first")})
		first <- err
	}()
	require.Equal(t, "first", <-started)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := bus.GossipIn(bus.TopicATX).Call(ctx, gossip, bus.PeerMessage{Body: []byte("late")})
	require.ErrorIs(t, err, bus.Late)
	require.Eventually(t, func() bool { return owner.Oldest(bus.GossipIn(bus.TopicATX).Subject()) > 20*time.Millisecond },
		10*time.Second, time.Millisecond)
	close(release)
	require.NoError(t, <-first)
	_, err = bus.GossipIn(bus.TopicATX).Call(t.Context(), gossip, bus.PeerMessage{Body: []byte("third")})
	require.NoError(t, err)
	require.Equal(t, "third", <-started) // and not "late"
}

func TestABatchHandlerGetsWhatIsThere(t *testing.T) {
	t.Parallel()
	s := server(t)
	owner, gossip := connect(t, s, bus.ActivationService), connect(t, s, bus.GossipService)
	const n = 20
	sizes := make(chan int, n)
	gate := make(chan struct{})
	_, err := bus.ServeBatch(t.Context(), owner, bus.GossipIn(bus.TopicATX), bus.Queue{Length: n, Full: actor.Refuse, Batch: 8},
		func(ctx context.Context, calls []*bus.Call[bus.PeerMessage, bus.Judgement]) {
			sizes <- len(calls)
			<-gate
			for i, call := range calls {
				switch {
				case len(calls) == 1:
					call.Reply(bus.Judgement{Verdict: bus.Accept, Reason: string(call.Request.Body)})
				case i == 0:
					call.Fail(bus.NotFound)
				case i == 1: // forgotten
				default:
					call.Reply(bus.Judgement{Verdict: bus.Ignore, Reason: string(call.Request.Body)})
					call.Fail(bus.Internal) // too late to count
				}
			}
		})
	require.NoError(t, err)
	call := func(body string) (bus.Judgement, error) {
		return bus.GossipIn(bus.TopicATX).Call(t.Context(), gossip, bus.PeerMessage{Body: []byte(body)})
	}
	var wg sync.WaitGroup
	var missing, internal, ignored atomic.Int64
	wg.Go(func() {
		j, err := call("alone")
		require.NoError(t, err)
		require.Equal(t, "alone", j.Reason)
	})
	require.Equal(t, 1, <-sizes)
	for range 8 {
		wg.Go(func() {
			j, err := call("b")
			switch {
			case errors.Is(err, bus.NotFound):
				missing.Add(1)
			case errors.Is(err, bus.Internal):
				internal.Add(1)
			case j.Verdict == bus.Ignore && j.Reason == "b":
				ignored.Add(1)
			}
		})
	}
	awaitQueue(t, owner, 8)
	close(gate)
	require.Equal(t, 8, <-sizes)
	wg.Wait()
	require.EqualValues(t, []int64{1, 1, 6}, []int64{missing.Load(), internal.Load(), ignored.Load()})
}

func TestWhatDoesNotDecodeIsABadRequest(t *testing.T) {
	t.Parallel()
	s := server(t)
	owner, gossip := connect(t, s, bus.StateService), connect(t, s, bus.ConsensusService)
	_, err := bus.Serve(t.Context(), owner, bus.Execute(), queue, func(context.Context, bus.ExecuteRequest) (bus.ExecuteReply, error) {
		t.Error("handled")
		return bus.ExecuteReply{}, nil
	})
	require.NoError(t, err)
	_, err = bus.Garbled(bus.Execute()).Call(t.Context(), gossip, []byte{1, 2})
	require.ErrorIs(t, err, bus.BadRequest)
}

func TestReplicasShareRequests(t *testing.T) {
	t.Parallel()
	s := server(t)
	gossip := connect(t, s, bus.GossipService)
	var served atomic.Int64
	for range 2 {
		_, err := bus.Serve(t.Context(), connect(t, s, bus.ActivationService), bus.GossipIn(bus.TopicATX), queue,
			func(ctx context.Context, m bus.PeerMessage) (bus.Judgement, error) {
				served.Add(1)
				return accept(ctx, m)
			})
		require.NoError(t, err)
	}
	for range 50 {
		_, err := bus.GossipIn(bus.TopicATX).Call(t.Context(), gossip, bus.PeerMessage{})
		require.NoError(t, err)
	}
	require.EqualValues(t, 50, served.Load())
}

func TestDrainFinishesWhatWaits(t *testing.T) {
	t.Parallel()
	s := server(t)
	owner, gossip := connect(t, s, bus.ActivationService), connect(t, s, bus.GossipService)
	started, release := blocked(t, owner, queue)
	results := make(chan error, 3)
	for range 3 {
		go func() {
			_, err := bus.GossipIn(bus.TopicATX).Call(t.Context(), gossip, bus.PeerMessage{})
			results <- err
		}()
	}
	<-started
	awaitQueue(t, owner, 2)
	drained := make(chan struct{})
	go func() { defer close(drained); owner.Drain(t.Context()) }()
	// The group is left before the queue is worked off.
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := bus.GossipIn(bus.TopicATX).Call(ctx, gossip, bus.PeerMessage{})
		return errors.Is(err, bus.Unavailable)
	}, 10*time.Second, time.Millisecond)
	close(release)
	for range 3 {
		require.NoError(t, <-results)
	}
	<-drained
}

func TestADrainThatGivesUpAnswersStopping(t *testing.T) {
	t.Parallel()
	s := server(t)
	owner, gossip := connect(t, s, bus.ActivationService), connect(t, s, bus.GossipService)
	started := make(chan struct{}, 1)
	_, err := bus.Serve(t.Context(), owner, bus.GossipIn(bus.TopicATX), queue, func(ctx context.Context, _ bus.PeerMessage) (bus.Judgement, error) {
		started <- struct{}{}
		<-ctx.Done()
		return bus.Judgement{}, ctx.Err()
	})
	require.NoError(t, err)
	results := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := bus.GossipIn(bus.TopicATX).Call(t.Context(), gossip, bus.PeerMessage{})
			results <- err
		}()
	}
	<-started
	awaitQueue(t, owner, 1)
	owner.Close()
	for range 2 {
		require.ErrorIs(t, <-results, bus.Stopping)
	}
}

func TestEveryTopicAndKindHasAnOwner(t *testing.T) {
	t.Parallel()
	s := server(t)
	owners := map[string]*bus.Conn{}
	for _, name := range []string{bus.ActivationService, bus.ConsensusService, bus.StateService} {
		owners[name] = connect(t, s, name)
	}
	for _, topic := range bus.GossipTopics() {
		_, err := bus.Serve(t.Context(), owners[topic.Owner()], bus.GossipIn(topic), queue, accept)
		require.NoError(t, err, topic)
	}
	for _, kind := range bus.Kinds() {
		_, err := bus.Serve(t.Context(), owners[kind.Owner()], bus.SyncIn(kind), queue, func(context.Context, bus.FetchedObject) (bus.Judgement, error) {
			return bus.Judgement{Verdict: bus.Accept}, nil
		})
		require.NoError(t, err, kind)
	}
}

func TestAServerOfAnotherProcess(t *testing.T) {
	t.Parallel()
	s, err := bus.StartServer(bus.ServerConfig{Listen: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	owner := connect(t, s, bus.ActivationService)
	_, err = bus.Serve(t.Context(), owner, bus.GossipIn(bus.TopicATX), queue, accept)
	require.NoError(t, err)
	gossip, err := bus.Connect(bus.Config{Service: bus.GossipService, URL: s.URL()}, bus.Deps{})
	require.NoError(t, err)
	defer gossip.Close()
	require.NoError(t, gossip.Ready())
	j, err := bus.GossipIn(bus.TopicATX).Call(t.Context(), gossip, bus.PeerMessage{})
	require.NoError(t, err)
	require.Equal(t, bus.Accept, j.Verdict)
}

func TestTheEmbeddedServerListensNowhere(t *testing.T) {
	t.Parallel()
	require.Empty(t, server(t).URL())
}

func TestMetricsOfTwoInstances(t *testing.T) {
	t.Parallel()
	s := server(t)
	var registries []*prometheus.Registry
	for range 2 {
		reg := prometheus.NewRegistry()
		c, err := bus.Connect(bus.Config{Service: bus.PostWorkerService, Server: s}, bus.Deps{Metrics: reg})
		require.NoError(t, err)
		t.Cleanup(c.Close)
		registries = append(registries, reg)
		_, err = bus.Listen(t.Context(), c, bus.LayerTick(), false, queue, func(context.Context, bus.Tick) {})
		require.NoError(t, err)
	}
	for _, reg := range registries {
		n, err := testutil.GatherAndCount(reg, "smeshery_post_worker_bus_queue_length", "smeshery_post_worker_bus_queue_dropped_total")
		require.NoError(t, err)
		require.Equal(t, 2, n)
	}
}

func BenchmarkGossipIn(b *testing.B) {
	s := server(b)
	owner, gossip := connect(b, s, bus.ActivationService), connect(b, s, bus.GossipService)
	_, err := bus.ServeBatch(b.Context(), owner, bus.GossipIn(bus.TopicATX), bus.Queue{Length: 4096, Full: actor.Refuse},
		func(_ context.Context, calls []*bus.Call[bus.PeerMessage, bus.Judgement]) {
			for _, call := range calls {
				call.Reply(bus.Judgement{Verdict: bus.Accept})
			}
		})
	require.NoError(b, err)
	body := make([]byte, 1024)
	b.ReportAllocs()
	b.SetParallelism(128)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := bus.GossipIn(bus.TopicATX).Call(b.Context(), gossip, bus.PeerMessage{Peer: "12D3KooW", Body: body}); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
}
