package live_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v1"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/api-gateway/internal/live"
)

// TestASubscriptionIsAQueueWithBounds compares a subscription with a plain list.
func TestASubscriptionIsAQueueWithBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hub := live.New(live.Deps{})
		limit := rapid.IntRange(1, 40).Draw(t, "limit")
		sub := hub.Subscribe(limit, nil, live.KindLayers, live.KindAccounts)
		defer sub.Close()
		var model []live.Event
		held := map[live.Kind]int{}
		var overflow *live.Kind
		emit := func(e live.Event) {
			hub.Emit(e)
			k := e.Kind()
			if overflow != nil || k != live.KindLayers && k != live.KindAccounts {
				return
			}
			if held[k] > 0 && held[k]+e.Items() > limit {
				overflow, model = &k, nil
				return
			}
			held[k] += e.Items()
			model = append(model, e)
		}
		t.Repeat(map[string]func(*rapid.T){
			"layer": func(t *rapid.T) { emit(live.Layer{Layer: wire.LayerID(rapid.Uint32().Draw(t, "layer"))}) },
			"accounts": func(t *rapid.T) {
				emit(live.Accounts{Addresses: make([]wire.Address, rapid.IntRange(1, 50).Draw(t, "accounts"))})
			},
			"not subscribed": func(*rapid.T) { emit(live.Status{}) },
			"poll": func(t *rapid.T) {
				got, ok, err := sub.Poll()
				if overflow != nil {
					var full *live.Overflow
					if !errors.As(err, &full) || full.Kind != *overflow {
						t.Fatalf("got %v, want an overflow of %d", err, *overflow)
					}
					return
				}
				require.NoError(t, err)
				require.Equal(t, len(model) > 0, ok)
				if ok {
					require.Equal(t, model[0], got)
					held[got.Kind()] -= got.Items()
					model = model[1:]
				}
			},
		})
	})
}

func TestNextWaitsForAnEvent(t *testing.T) {
	hub := live.New(live.Deps{})
	sub := hub.Subscribe(1, nil, live.KindStatus)
	got := make(chan error, 1)
	go func() {
		_, err := sub.Next(t.Context())
		got <- err
	}()
	hub.Emit(live.Status{})
	require.NoError(t, <-got)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := sub.Next(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 1, hub.Subscriptions())
	sub.Close()
	sub.Close()
	require.Zero(t, hub.Subscriptions())
}

func TestTheRingAndTheSubscriptionMeet(t *testing.T) {
	hub := live.New(live.Deps{})
	for i := range 250 {
		hub.Emit(live.User{Sequence: uint64(i), Event: &pb.Event{Help: fmt.Sprint(i)}})
	}
	ring, sub := hub.SubscribeUsers()
	defer sub.Close()
	require.Len(t, ring, 100)
	require.Equal(t, uint64(150), ring[0].Sequence)
	require.Equal(t, uint64(249), ring[99].Sequence)
	hub.Emit(live.User{Sequence: 250})
	e, err := sub.Next(t.Context())
	require.NoError(t, err)
	require.Equal(t, live.User{Sequence: 250}, e)
}

func TestErrorsThatAreLoggedAreTold(t *testing.T) {
	hub := live.New(live.Deps{})
	sub := hub.Subscribe(10, nil, live.KindErrors)
	defer sub.Close()
	log := slog.New(hub.Log(slog.DiscardHandler)).With("module", "test").WithGroup("group")
	log.Warn("not this")
	_, ok, err := sub.Poll()
	require.NoError(t, err)
	require.False(t, ok)
	log.Error("boom")
	hub.Shutdown()
	e, err := sub.Next(t.Context())
	require.NoError(t, err)
	require.Equal(t, "boom", e.(live.Error).Text)
	require.Contains(t, e.(live.Error).Stack, "TestErrorsThatAreLoggedAreTold")
	e, err = sub.Next(t.Context())
	require.NoError(t, err)
	require.Equal(t, pb.LogLevel_LOG_LEVEL_INFO, e.(live.Error).Level)
}

func BenchmarkEmitToAThousandStreams(b *testing.B) {
	hub := live.New(live.Deps{})
	for i := range 1000 {
		match := func(e live.Event) bool { return e.(live.Activation).ATX.Node[0] == byte(i) }
		defer hub.Subscribe(live.BufferV2, match, live.KindActivations).Close()
	}
	e := live.Activation{}
	e.ATX.Node[0] = 255
	b.ReportAllocs()
	for b.Loop() {
		hub.Emit(e)
	}
}
