package bus_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/bus"
)

func event(t *testing.T, n int) bus.Stored {
	out, err := bus.Events(bus.StateService, "test").Outgoing(bus.Event{ID: fmt.Sprint(n), Kind: "test", Service: bus.StateService})
	require.NoError(t, err)
	return bus.Stored{ID: fmt.Sprint("event-", n), Outgoing: out}
}

func TestEachFollowerReadsAllFromItsSequence(t *testing.T) {
	t.Parallel()
	owner, reader := withStreams(t)
	span, err := bus.SpanOf(t.Context(), reader, bus.AllEvents())
	require.NoError(t, err)
	require.Zero(t, span.Last)
	for i := 1; i <= 600; i++ {
		require.NoError(t, errors.Join(owner.Store(t.Context(), []bus.Stored{event(t, i)})...))
	}
	span, err = bus.SpanOf(t.Context(), reader, bus.AllEvents())
	require.NoError(t, err)
	require.Equal(t, bus.Span{First: 1, Last: 600}, span)

	for _, from := range []uint64{0, 1, 299, 600, 601} {
		ctx, cancel := context.WithCancel(t.Context())
		next := max(1, from)
		if from == 601 { // comes while it is waited for
			require.NoError(t, errors.Join(owner.Store(t.Context(), []bus.Stored{event(t, 601)})...))
		}
		err := bus.Follow(ctx, reader, bus.AllEvents(), from, func(_ context.Context, d bus.Delivery[bus.Event]) error {
			require.Equal(t, next, d.Sequence)
			require.Equal(t, fmt.Sprint(next), d.Message.ID)
			if next++; next > max(600, from) {
				cancel()
			}
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, max(600, from)+1, next)
	}
}

func TestAFollowerEndsWithItsHandler(t *testing.T) {
	t.Parallel()
	owner, reader := withStreams(t)
	require.NoError(t, errors.Join(owner.Store(t.Context(), []bus.Stored{event(t, 1)})...))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	enough := errors.New("enough")
	err := bus.Follow(ctx, reader, bus.AllEvents(), 0, func(context.Context, bus.Delivery[bus.Event]) error { return enough })
	require.ErrorIs(t, err, enough)

	require.Error(t, bus.Follow(ctx, reader, bus.LayerTick(), 0, func(context.Context, bus.Delivery[bus.Tick]) error { return nil }))
}
