package bus_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/actor"
	"github.com/smeshery/smeshery/pkg/bus"
)

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
