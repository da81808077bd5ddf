package bus_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/bus"
)

func withStreams(t *testing.T) (*bus.Conn, *bus.Conn) {
	s := server(t)
	owner, gossip := connect(t, s, bus.ActivationService), connect(t, s, bus.GossipService)
	require.NoError(t, bus.EnsureStreams(t.Context(), owner, 1))
	require.NoError(t, bus.EnsureStreams(t.Context(), gossip, 1))
	return owner, gossip
}

func stored(t *testing.T, id, body string) bus.Stored {
	out, err := bus.GossipOut(bus.TopicATX).Outgoing([]byte(body))
	require.NoError(t, err)
	return bus.Stored{ID: id, Outgoing: out}
}

func TestAStreamDropsRepeats(t *testing.T) {
	t.Parallel()
	owner, gossip := withStreams(t)
	for range 2 { // as a relay that crashed before it marked its rows
		require.NoError(t, errors.Join(owner.Store(t.Context(), []bus.Stored{stored(t, "a1", "one"), stored(t, "a2", "two")})...))
	}
	require.NoError(t, errors.Join(owner.Store(t.Context(), []bus.Stored{stored(t, "a3", "end")})...))

	ctx, cancel := context.WithCancel(t.Context())
	var got []string
	err := bus.Consume(ctx, gossip, bus.GossipOut(bus.TopicATX), bus.Consumption{Durable: "gossip"},
		func(_ context.Context, d bus.Delivery[[]byte]) error {
			if got = append(got, string(d.Message)); string(d.Message) == "end" {
				cancel()
			}
			return nil
		})
	require.NoError(t, err)
	require.Equal(t, []string{"one", "two", "end"}, got)
}

func TestAFailedMessageComesBackAndPoisonDoesNot(t *testing.T) {
	t.Parallel()
	owner, gossip := withStreams(t)
	require.NoError(t, errors.Join(owner.Store(t.Context(), []bus.Stored{
		stored(t, "1", "poison"), stored(t, "2", "panics"), stored(t, "3", "fails"),
	})...))
	ctx, cancel := context.WithCancel(t.Context())
	attempts := map[string]uint64{}
	err := bus.Consume(ctx, gossip, bus.GossipOut(bus.TopicATX), bus.Consumption{Durable: "gossip", Retry: time.Millisecond},
		func(_ context.Context, d bus.Delivery[[]byte]) error {
			body := string(d.Message)
			attempts[body] = d.Attempt
			if attempts["panics"] >= 2 && attempts["fails"] >= 2 {
				cancel()
			}
			switch {
			case body == "poison":
				return bus.ErrPoison
			case d.Attempt > 1:
				return nil
			case body == "panics":
				panic("bug")
			}
			return errors.New("later")
		})
	require.NoError(t, err)
	require.Equal(t, map[string]uint64{"poison": 1, "panics": 2, "fails": 2}, attempts)
}

func TestEventsAreReadTogether(t *testing.T) {
	t.Parallel()
	owner, gossip := withStreams(t)
	event := bus.Event{ID: "7", Kind: "atx", Service: "activation", At: time.Unix(5, 0).UTC(), Data: []byte(`{"n":1}`)}
	out, err := bus.Events("activation", "atx").Outgoing(event)
	require.NoError(t, err)
	require.NoError(t, errors.Join(owner.Store(t.Context(), []bus.Stored{{ID: "x", Outgoing: out}})...))
	ctx, cancel := context.WithCancel(t.Context())
	require.NoError(t, bus.Consume(ctx, gossip, bus.AllEvents(), bus.Consumption{Durable: "api"}, func(_ context.Context, d bus.Delivery[bus.Event]) error {
		require.Equal(t, event, d.Message)
		require.Equal(t, "events.activation.atx", d.Subject)
		require.EqualValues(t, 1, d.Sequence)
		cancel()
		return nil
	}))
}

func TestWhatNoStreamTakesIsAnError(t *testing.T) {
	t.Parallel()
	owner := connect(t, server(t), bus.ActivationService)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	errs := owner.Store(ctx, []bus.Stored{stored(t, "1", "x")})
	require.ErrorIs(t, errs[0], bus.Unavailable)
}

func TestAHintReachesEveryListener(t *testing.T) {
	t.Parallel()
	s := server(t)
	heard := make(chan bus.Tick, 2)
	for range 2 {
		_, err := bus.Listen(t.Context(), connect(t, s, bus.ActivationService), bus.LayerTick(), false, queue,
			func(_ context.Context, m bus.Tick) { heard <- m })
		require.NoError(t, err)
	}
	require.NoError(t, bus.LayerTick().Hint(connect(t, s, bus.ConsensusService), bus.Tick{Layer: 9}))
	require.Equal(t, bus.Tick{Layer: 9}, <-heard)
	require.Equal(t, bus.Tick{Layer: 9}, <-heard)
}
