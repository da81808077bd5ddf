package actor_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/pkg/actor"
)

func box[T any](t testing.TB, length int, o actor.Overflow, dropped func(T)) *actor.Mailbox[T] {
	t.Helper()
	m, err := actor.NewMailbox(actor.MailboxConfig[T]{Length: length, Overflow: o, Dropped: dropped})
	require.NoError(t, err)
	return m
}

func TestAMailboxWantsItsBounds(t *testing.T) {
	for name, c := range map[string]actor.MailboxConfig[int]{
		"length": {Overflow: actor.Block}, "overflow policy": {Length: 1}, "weighs": {Length: 1, Overflow: actor.Refuse, Bytes: 1},
	} {
		_, err := actor.NewMailbox(c)
		require.ErrorContains(t, err, name)
	}
}

func TestBlockWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := box[int](t, 1, actor.Block, nil)
		require.NoError(t, m.Put(t.Context(), 1))
		put := false
		go func() { _ = m.Put(t.Context(), 2); put = true }()
		synctest.Wait()
		require.False(t, put)
		v, err := m.Take(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, v)
		synctest.Wait()
		require.True(t, put)

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, m.Put(ctx, 3), context.DeadlineExceeded)
		require.Equal(t, time.Minute, m.Stats().Oldest)
	})
}

func TestTakeWaitsAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := box[int](t, 4, actor.Refuse, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := m.Take(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NoError(t, m.Put(t.Context(), 1))
		m.Close()
		require.ErrorIs(t, m.Put(t.Context(), 2), actor.ErrClosed)
		v, err := m.Take(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, v)
		_, err = m.Take(t.Context())
		require.ErrorIs(t, err, actor.ErrClosed)
	})
}

// model is the mailbox as one would explain it.
type model struct {
	length, bytes    int
	policy           actor.Overflow
	in               []int
	dropped, refused int
}

func (m *model) weight() (sum int) {
	for _, v := range m.in {
		sum += v
	}
	return sum
}

func (m *model) put(v int) error {
	full := func() bool { return len(m.in) >= m.length || (len(m.in) > 0 && m.weight()+v > m.bytes) }
	for full() {
		if m.policy == actor.Refuse {
			m.refused++
			return actor.ErrFull
		}
		m.in = m.in[1:]
		m.dropped++
	}
	m.in = append(m.in, v)
	return nil
}

func TestAMailboxIsAsItsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := &model{
			length: rapid.IntRange(1, 20).Draw(t, "length"),
			bytes:  rapid.IntRange(1, 60).Draw(t, "bytes"),
			policy: rapid.SampledFrom([]actor.Overflow{actor.Refuse, actor.DropOldest}).Draw(t, "policy"),
		}
		drops := 0
		got, err := actor.NewMailbox(actor.MailboxConfig[int]{
			Length: want.length, Overflow: want.policy, Bytes: want.bytes,
			Size: func(v int) int { return v }, Dropped: func(int) { drops++ },
		})
		require.NoError(t, err)
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				v := rapid.IntRange(0, 10).Draw(t, "v")
				require.Equal(t, want.put(v), got.Put(context.Background(), v))
			},
			"take": func(t *rapid.T) {
				if len(want.in) == 0 {
					return
				}
				buf := make([]int, rapid.IntRange(1, 5).Draw(t, "n"))
				n, err := got.TakeBatch(context.Background(), buf)
				require.NoError(t, err)
				require.Equal(t, want.in[:n], buf[:n])
				require.Equal(t, min(len(buf), len(want.in)), n)
				want.in = want.in[n:]
			},
			"": func(t *rapid.T) {
				s := got.Stats()
				require.Equal(t, []int{len(want.in), want.weight(), want.dropped, want.refused},
					[]int{s.Length, s.Bytes, int(s.Dropped), int(s.Refused)})
				require.Equal(t, want.dropped, drops)
			},
		})
	})
}

func TestManySendersLoseNothing(t *testing.T) {
	m := box[int](t, 3, actor.Block, nil)
	var senders sync.WaitGroup
	for i := range 8 {
		senders.Go(func() {
			for j := range 100 {
				require.NoError(t, m.Put(t.Context(), i*100+j))
			}
		})
	}
	go func() { senders.Wait(); m.Close() }()
	seen := map[int]bool{}
	last := map[int]int{}
	for {
		v, err := m.Take(t.Context())
		if err != nil {
			break
		}
		if before, ok := last[v/100]; ok {
			require.Less(t, before, v, "a sender's messages keep their order")
		}
		last[v/100], seen[v] = v, true
	}
	require.Len(t, seen, 800)
}

func TestAFailedActorStartsAgainFromWhatIsPersisted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := actor.NewSupervisor(actor.Backoff{First: time.Second, Max: 4 * time.Second, Calm: time.Hour}, nil, nil)
		m := box[int](t, 10, actor.Refuse, nil)
		persisted, starts := 0, 0
		start := func(context.Context) (actor.Actor[int], error) {
			starts++
			state := persisted
			return actor.Func[int](func(_ context.Context, v int) error {
				switch v {
				case -1:
					return errors.New("database")
				case -2:
					panic("bug")
				}
				state += v
				persisted = state
				return nil
			}), nil
		}
		require.NoError(t, actor.Run(t.Context(), s, "adder", m, start))
		for _, v := range []int{1, -1, 2, -2, 3} {
			require.NoError(t, m.Put(t.Context(), v))
		}
		m.Close()
		s.Wait()
		require.Equal(t, 6, persisted)
		require.Equal(t, 3, starts)
		require.EqualValues(t, 2, s.Restarts())
	})
}

func TestThePauseGrowsAndCalmsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := actor.NewSupervisor(actor.Backoff{First: time.Second, Max: 4 * time.Second, Calm: time.Minute}, nil, nil)
		began, runs := time.Now(), []time.Duration(nil)
		ended := time.Now()
		require.NoError(t, s.Go(t.Context(), "x", func(context.Context) error {
			runs = append(runs, time.Since(ended))
			switch len(runs) {
			case 6:
				<-time.After(2 * time.Minute) // virtual
			case 8:
				return actor.ErrDone
			}
			ended = time.Now()
			return errors.New("again")
		}))
		s.Wait()
		require.Len(t, runs, 8)
		for i, seconds := range []int{0, 1, 2, 4, 4, 4, 1, 2} {
			most := time.Duration(seconds) * time.Second
			require.LessOrEqual(t, runs[i], most, i)
			require.GreaterOrEqual(t, runs[i], most/2, i)
		}
		require.Less(t, time.Since(began), 3*time.Minute)
	})
}

func TestStopAndWaitReturnWhenAllHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := actor.NewSupervisor(actor.DefaultBackoff(), nil, nil)
		ended := map[string]bool{}
		var mu sync.Mutex
		wait := func(name string) func(context.Context) error {
			return func(ctx context.Context) error {
				<-ctx.Done()
				<-time.After(time.Second) // its last duty; virtual
				mu.Lock()
				defer mu.Unlock()
				ended[name] = true
				return ctx.Err()
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		require.NoError(t, s.Go(ctx, "a", wait("a")))
		require.NoError(t, s.Go(ctx, "b", wait("b")))
		require.ErrorIs(t, s.Go(ctx, "a", wait("a")), actor.ErrExists)
		s.Stop("a")
		require.True(t, ended["a"])
		s.Stop("unknown")
		require.Equal(t, []string{"b"}, s.Names())
		cancel()
		s.Wait()
		require.True(t, ended["b"])
		require.ErrorIs(t, s.Go(ctx, "c", wait("c")), actor.ErrClosed)
		require.Zero(t, s.Restarts())
	})
}

func TestStoppingDuringAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := actor.NewSupervisor(actor.Backoff{First: time.Hour, Max: time.Hour}, nil, nil)
		require.NoError(t, s.Go(t.Context(), "x", func(context.Context) error { return errors.New("no") }))
		synctest.Wait()
		began := time.Now()
		s.Stop("x")
		require.Zero(t, time.Since(began))
	})
}

func BenchmarkMailbox(b *testing.B) {
	m := box[int](b, 1024, actor.Block, nil)
	b.ReportAllocs()
	go func() {
		for range b.N {
			_ = m.Put(context.Background(), 1)
		}
		m.Close()
	}()
	b.ResetTimer()
	buf := make([]int, 64)
	for {
		if _, err := m.TakeBatch(context.Background(), buf); err != nil {
			return
		}
	}
}
