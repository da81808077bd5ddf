package alarm_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/services/activation/internal/alarm"
)

type clock struct{ at atomic.Int64 }

func (c *clock) Now() time.Time { return time.Unix(0, c.at.Load()) }

func TestWakesInOrder(t *testing.T) {
	c := new(clock)
	a := alarm.New(c, time.Millisecond)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	woken := make(chan int, 100)
	for i := range 100 {
		go func() {
			if a.Sleep(ctx, time.Unix(0, int64(100-i))) == nil {
				woken <- 100 - i
			}
		}()
	}
	require.NoError(t, a.Sleep(ctx, time.Unix(0, 0)))
	require.Empty(t, woken)
	c.at.Store(50)
	for range 50 {
		require.LessOrEqual(t, <-woken, 50)
	}
	until, cancel := a.Until(ctx, time.Unix(0, 200))
	defer cancel()
	require.NoError(t, until.Err())
	c.at.Store(1000)
	<-until.Done()
	require.ErrorIs(t, context.Cause(until), context.DeadlineExceeded)
	past, cancel := a.Until(ctx, time.Unix(0, 200))
	defer cancel()
	require.ErrorIs(t, context.Cause(past), context.DeadlineExceeded)
	for range 50 {
		require.Greater(t, <-woken, 50)
	}
	stop()
	require.NoError(t, <-ended)
	require.Error(t, a.Sleep(ctx, time.Unix(0, 5000)))
}

// A clock that is set back wakes nobody early, and nobody twice; one that is set
// forward wakes all whom it passes.
func TestTheClockIsSet(t *testing.T) {
	c := new(clock)
	c.at.Store(90)
	a := alarm.New(c, time.Millisecond)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	until, cancel := a.Until(ctx, time.Unix(0, 100))
	defer cancel()
	c.at.Store(10)
	require.Equal(t, time.Unix(0, 10), a.Now())
	early, cancel := a.Until(ctx, time.Unix(0, 20)) // ahead again, after the clock went back
	defer cancel()
	c.at.Store(30)
	<-early.Done()
	require.NoError(t, until.Err())
	late, cancel := a.Until(ctx, time.Unix(0, 1_000_000))
	defer cancel()
	c.at.Store(500_000)
	<-until.Done()
	require.ErrorIs(t, context.Cause(until), context.DeadlineExceeded)
	require.NoError(t, late.Err())
	c.at.Store(0)
	require.NoError(t, a.Sleep(ctx, time.Unix(0, 0)))
	c.at.Store(1_000_000)
	<-late.Done()
	stop()
	require.NoError(t, <-ended)
}
