package gossip

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/actor"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/wire"
)

// peers records what was published.
type peers struct {
	mu   sync.Mutex
	got  []string
	told chan string
}

func (p *peers) Publish(topic bus.GossipTopic, body []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got = append(p.got, string(topic)+":"+string(body))
	p.told <- p.got[len(p.got)-1]
	return nil
}

type world struct {
	t     *testing.T
	owner *bus.Conn
	peers *peers
	s     *Service
}

func start(t *testing.T, cfg Config, judge bus.Handler[bus.PeerMessage, bus.Judgement]) *world {
	server, err := bus.StartServer(bus.ServerConfig{Name: "test", StoreDir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	connect := func(service string) *bus.Conn {
		c, err := bus.Connect(bus.Config{Service: service, Server: server}, bus.Deps{})
		require.NoError(t, err)
		t.Cleanup(c.Close)
		return c
	}
	w := &world{t: t, owner: connect(bus.StateService), peers: &peers{told: make(chan string, 64)}}
	require.NoError(t, bus.EnsureStreams(t.Context(), w.owner, 1))
	if judge != nil {
		_, err = bus.Serve(t.Context(), w.owner, bus.GossipIn(bus.TopicTransaction), bus.Queue{Length: 64, Full: actor.Refuse}, judge)
		require.NoError(t, err)
	}
	if cfg.Retry == 0 {
		cfg.Retry = time.Millisecond
	}
	w.s, err = New(cfg, Deps{Bus: connect(bus.GossipService), Registry: prometheus.NewPedanticRegistry(), Network: w.peers})
	require.NoError(t, err)
	require.Error(t, w.s.Ready())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.s.Run(ctx) }()
	t.Cleanup(func() { cancel(); require.NoError(t, <-done) })
	require.Eventually(t, func() bool { return w.s.Ready() == nil }, 10*time.Second, time.Millisecond)
	return w
}

func (w *world) say(topic bus.GossipTopic, id, body string) {
	m, err := bus.GossipOut(topic).Outgoing([]byte(body))
	require.NoError(w.t, err)
	for _, err := range w.owner.Store(w.t.Context(), []bus.Stored{{ID: id, Outgoing: m}}) {
		require.NoError(w.t, err)
	}
}

func (w *world) outcome(topic bus.GossipTopic, outcome string) float64 {
	return testutil.ToFloat64(w.s.metrics.outgoing.WithLabelValues(string(topic), outcome))
}

func (w *world) await(topic bus.GossipTopic, outcome string) {
	w.t.Helper()
	require.Eventually(w.t, func() bool { return w.outcome(topic, outcome) > 0 }, 10*time.Second, time.Millisecond)
}

func verdict(v bus.Verdict) bus.Handler[bus.PeerMessage, bus.Judgement] {
	return func(context.Context, bus.PeerMessage) (bus.Judgement, error) { return bus.Judgement{Verdict: v}, nil }
}

func TestWhatTheOwnerAcceptsIsPublishedOnce(t *testing.T) {
	from := make(chan string, 9)
	w := start(t, Config{}, func(_ context.Context, m bus.PeerMessage) (bus.Judgement, error) {
		from <- m.Peer
		return bus.Judgement{Verdict: bus.Accept}, nil
	})
	w.say(bus.TopicTransaction, "1", "a")
	require.Equal(t, "tx:a", <-w.peers.told)
	require.Equal(t, bus.SelfPeer, <-from)
	w.say(bus.TopicTransaction, "2", "a") // the same message from a repeated outbox row
	w.await(bus.TopicTransaction, "duplicate")
	w.say(bus.TopicTransaction, "3", "b")
	require.Equal(t, "tx:b", <-w.peers.told)
	require.Len(t, w.peers.got, 2)
}

func TestWhatTheOwnerRefusesIsNotPublished(t *testing.T) {
	for _, v := range []bus.Verdict{bus.Ignore, bus.Reject} {
		w := start(t, Config{}, verdict(v))
		w.say(bus.TopicTransaction, "1", "a")
		w.await(bus.TopicTransaction, v.String())
		require.Empty(t, w.peers.got)
	}
}

func TestWithoutAVerdictTheMessageComesBack(t *testing.T) {
	calls := 0
	w := start(t, Config{}, func(context.Context, bus.PeerMessage) (bus.Judgement, error) {
		switch calls++; calls {
		case 1:
			return bus.Judgement{}, errors.New("the database is away")
		case 2:
			return bus.Judgement{}, nil // unknown
		case 3:
			return bus.Judgement{Verdict: bus.Ignore, Missing: []bus.Missing{{Kind: bus.KindPoet}}}, nil
		}
		return bus.Judgement{Verdict: bus.Accept}, nil
	})
	w.say(bus.TopicTransaction, "1", "a")
	require.Equal(t, "tx:a", <-w.peers.told)
	require.EqualValues(t, 3, w.outcome(bus.TopicTransaction, "retried"))
}

// Nobody serves hare here.
func TestAVoteIsGivenUp(t *testing.T) {
	w := start(t, Config{VoteLife: 3 * time.Millisecond}, nil)
	w.say(bus.TopicHare3, "1", "a")
	w.await(bus.TopicHare3, "given_up")
	require.EqualValues(t, 2, w.outcome(bus.TopicHare3, "retried"))
	require.Empty(t, w.peers.got)
}

func TestNobodyHasWhatIsMissing(t *testing.T) {
	w := start(t, Config{}, nil)
	reply, err := bus.Fetch(bus.KindATX).Call(t.Context(), w.owner, bus.FetchRequest{Hashes: make([]wire.Hash32, 3)})
	require.NoError(t, err)
	require.Equal(t, []bus.FetchOutcome{bus.FetchFailed, bus.FetchFailed, bus.FetchFailed}, reply.Outcomes)
}

func TestSeenIsBoundedInTimeAndNumber(t *testing.T) {
	s, now := newSeen(time.Minute, 3), time.Unix(1000, 0)
	for i := range byte(5) {
		s.add(id{i}, now)
	}
	require.Equal(t, 3, s.len())
	require.False(t, s.has(id{1}, now))
	require.True(t, s.has(id{4}, now))
	require.False(t, s.has(id{4}, now.Add(time.Minute)))
	s.add(id{9}, now.Add(time.Minute))
	require.Equal(t, 1, s.len())
	s.add(id{9}, now.Add(time.Minute))
	require.Equal(t, 1, s.len())
}

func TestNewWantsABus(t *testing.T) {
	_, err := New(Config{}, Deps{})
	require.ErrorContains(t, err, "Bus")
}
