package bus_test

import (
	"context"
	"errors"
	"strings"
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
