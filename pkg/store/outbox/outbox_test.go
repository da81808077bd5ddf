package outbox_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/outbox"
	"github.com/smeshery/smeshery/pkg/store/storetest"
)

var schema = store.Schema{Name: "activation", Parts: []store.Part{outbox.Part()}}

// stream remembers what it was given, and refuses what it is told to.
type stream struct {
	mu     sync.Mutex
	ids    []string
	bodies []string
	refuse func(body string) bool
	why    error
	got    chan string
}

func (s *stream) Store(_ context.Context, messages []bus.Stored) []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	errs := make([]error, len(messages))
	for i, m := range messages {
		if s.refuse != nil && s.refuse(string(m.Body)) {
			errs[i] = cmp.Or(s.why, errors.New("refused"))
			continue
		}
		s.ids, s.bodies = append(s.ids, m.ID), append(s.bodies, string(m.Body))
		if s.got != nil {
			s.got <- string(m.Body)
		}
	}
	return errs
}

func add(t *testing.T, db *store.DB, bodies ...string) {
	t.Helper()
	require.NoError(t, store.InTx(t.Context(), db, func(tx pgx.Tx) error {
		messages := make([]bus.Outgoing, len(bodies))
		for i, b := range bodies {
			messages[i] = bus.Outgoing{Subject: "gossip.out.atx", Body: []byte(b)}
		}
		return outbox.AddTx(t.Context(), tx, messages...)
	}))
}

func relay(t *testing.T, db *store.DB, to outbox.Publisher, cfg outbox.Config) *outbox.Relay {
	t.Helper()
	r, err := outbox.New(db, to, cfg, nil, prometheus.NewRegistry())
	require.NoError(t, err)
	return r
}

func TestKeepsOrderOverBatchesAndSendsOnce(t *testing.T) {
	t.Parallel()
	db := storetest.DB(t, schema)
	var want []string
	for i := range 25 {
		want = append(want, strconv.Itoa(i))
	}
	add(t, db, want...)
	s := &stream{}
	r := relay(t, db, s, outbox.Config{Batch: 10})
	n, err := r.Flush(t.Context())
	require.NoError(t, err)
	require.Equal(t, 25, n)
	require.Equal(t, want, s.bodies)
	require.Equal(t, "activation.1", s.ids[0])
	n, err = r.Flush(t.Context())
	require.NoError(t, err)
	require.Zero(t, n)
}

func TestARolledBackTransactionSaysNothing(t *testing.T) {
	t.Parallel()
	db := storetest.DB(t, schema)
	require.Error(t, store.InTx(t.Context(), db, func(tx pgx.Tx) error {
		return errors.Join(outbox.AddTx(t.Context(), tx, bus.Outgoing{Subject: "a"}), errors.New("no"))
	}))
	n, err := relay(t, db, &stream{}, outbox.Config{}).Flush(t.Context())
	require.NoError(t, err)
	require.Zero(t, n)
}

func TestARefusedMessageHoldsNothingUp(t *testing.T) {
	t.Parallel()
	db := storetest.DB(t, schema)
	add(t, db, "a", "bad", "b", "c")
	s := &stream{refuse: func(b string) bool { return b == "bad" }}
	r := relay(t, db, s, outbox.Config{Batch: 1})
	n, err := r.Flush(t.Context())
	require.NoError(t, err)
	require.Equal(t, 3, n)
	s.refuse = nil
	n, err = r.Flush(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, []string{"a", "b", "c", "bad"}, s.bodies)
}

func TestWithoutAStreamTheRowsWait(t *testing.T) {
	t.Parallel()
	db := storetest.DB(t, schema)
	add(t, db, "a")
	s := &stream{refuse: func(string) bool { return true }, why: bus.Unavailable}
	r := relay(t, db, s, outbox.Config{})
	_, err := r.Flush(t.Context())
	require.ErrorIs(t, err, bus.Unavailable)
	s.refuse = nil
	n, err := r.Flush(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

func TestRunIsWokenAndPolls(t *testing.T) {
	t.Parallel()
	db := storetest.DB(t, schema)
	s := &stream{got: make(chan string, 8)}
	r := relay(t, db, s, outbox.Config{Poll: 20e6})
	add(t, db, "before")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	require.Equal(t, "before", <-s.got)
	add(t, db, "unannounced")
	require.Equal(t, "unannounced", <-s.got)
	add(t, db, "announced")
	r.Wake()
	require.Equal(t, "announced", <-s.got)
	cancel()
	require.NoError(t, <-ended)
}

// A relay that dies after publishing sends again; the stream drops the repeat.
func TestACrashBetweenPublishAndMark(t *testing.T) {
	t.Parallel()
	db := storetest.DB(t, schema)
	server, err := bus.StartServer(bus.ServerConfig{StoreDir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	conn, err := bus.Connect(bus.Config{Service: bus.ActivationService, Server: server}, bus.Deps{})
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	require.NoError(t, bus.EnsureStreams(t.Context(), conn, 1))

	add(t, db, "a", "b")
	lost := relay(t, db, crashing{conn, db}, outbox.Config{})
	n, err := lost.Flush(t.Context())
	require.NoError(t, err)
	require.Zero(t, n)
	n, err = relay(t, db, conn, outbox.Config{}).Flush(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, n)
	add(t, db, "end")
	_, err = relay(t, db, conn, outbox.Config{}).Flush(t.Context())
	require.NoError(t, err)

	ctx, cancel := context.WithCancel(t.Context())
	var got []string
	require.NoError(t, bus.Consume(ctx, conn, bus.GossipOut(bus.TopicATX), bus.Consumption{Durable: "gossip"},
		func(_ context.Context, d bus.Delivery[[]byte]) error {
			if got = append(got, string(d.Message)); slices.Contains(got, "end") {
				cancel()
			}
			return nil
		}))
	require.Equal(t, []string{"a", "b", "end"}, got)
}

// crashing publishes, and then reports as a relay that does not live to mark.
type crashing struct {
	conn *bus.Conn
	db   *store.DB
}

func (c crashing) Store(ctx context.Context, messages []bus.Stored) []error {
	errs := c.conn.Store(ctx, messages)
	for i := range errs {
		errs[i] = errors.Join(errs[i], errors.New("crashed"))
	}
	return errs
}
