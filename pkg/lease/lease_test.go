package lease_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/lease"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/storetest"
)

var schema = store.Schema{Name: "activation", Parts: []store.Part{lease.Part(), {
	Name: "activation",
	Files: fstest.MapFS{"0001_guard.up.sql": {Data: []byte(
		"CREATE TABLE guard (slot bigint PRIMARY KEY, term bigint NOT NULL)")}},
}}}

// clocks are moved by hand, each on its own.
type clocks struct {
	mu   sync.Mutex
	boot time.Duration
	wall time.Time
}

func newClocks() *clocks { return &clocks{wall: time.Unix(1_700_000_000, 0)} }

func (c *clocks) read() (time.Duration, time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.boot, c.wall
}

func (c *clocks) move(boot, wall time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.boot += boot
	c.wall = c.wall.Add(wall)
}

const ttl = 10 * time.Second

func holder(t *testing.T, db *store.DB, name string, c *clocks) (*lease.Holder, *[]lease.Change) {
	t.Helper()
	changes := new([]lease.Change)
	h, err := lease.New(db, lease.Config{
		Holder: name, TTL: ttl, Margin: 2 * time.Second, Clock: c.read,
		Changed: func(c lease.Change) { *changes = append(*changes, c) },
	}, nil)
	require.NoError(t, err)
	return h, changes
}

// expire makes the database think that the lease's time is over.
func expire(t *testing.T, db *store.DB, name string) {
	t.Helper()
	tag, err := db.Exec(t.Context(), "UPDATE lease SET expires_at = clock_timestamp() - interval '1 s' WHERE name = $1", name)
	require.NoError(t, err)
	require.EqualValues(t, 1, tag.RowsAffected())
}

func term(t *testing.T, h *lease.Holder, name string) lease.Term {
	t.Helper()
	n, ok := h.Term(name)
	require.Equal(t, n != 0, ok)
	return n
}

func TestOneOfTwoHolds(t *testing.T) {
	t.Parallel()
	db := storetest.DB(t, schema)
	a, _ := holder(t, db, "a", newClocks())
	b, _ := holder(t, db, "b", newClocks())
	a.Want("x")
	b.Want("x", "y")
	require.NoError(t, a.Round(t.Context()))
	require.NoError(t, b.Round(t.Context()))
	require.EqualValues(t, 1, term(t, a, "x"))
	require.Zero(t, term(t, b, "x"))
	require.EqualValues(t, 1, term(t, b, "y"))
	require.NoError(t, a.Round(t.Context()))
	require.EqualValues(t, 1, term(t, a, "x"), "a renewal keeps the term")

	require.NoError(t, a.Resign(t.Context()))
	require.Zero(t, term(t, a, "x"))
	require.NoError(t, b.Round(t.Context()))
	require.EqualValues(t, 2, term(t, b, "x"))
	require.Equal(t, map[string]lease.Term{"x": 2, "y": 1}, b.Held())
}

func TestTheWindowEndsBeforeTheLease(t *testing.T) {
	t.Parallel()
	db := storetest.DB(t, schema)
	c := newClocks()
	a, _ := holder(t, db, "a", c)
	a.Want("x")
	require.NoError(t, a.Round(t.Context()))
	c.move(8*time.Second-1, 8*time.Second-1)
	require.EqualValues(t, 1, term(t, a, "x"))
	c.move(1, 1)
	require.Zero(t, term(t, a, "x"), "TTL - margin is over")
	require.NoError(t, a.Round(t.Context()))
	require.EqualValues(t, 1, term(t, a, "x"), "nobody took it")
}

func TestClockJumps(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		boot, wall time.Duration
		trusted    bool
	}{
		"wall ahead":                 {0, time.Hour, false},
		"wall back":                  {time.Second, -time.Hour, true},
		"wall back, window over":     {9 * time.Second, -time.Hour, false},
		"machine was suspended":      {time.Hour, time.Hour, false},
		"virtual machine was frozen": {0, 9 * time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := storetest.DB(t, schema)
			clock := newClocks()
			a, _ := holder(t, db, "a", clock)
			a.Want("x")
			require.NoError(t, a.Round(t.Context()))
			clock.move(c.boot, c.wall)
			require.Equal(t, c.trusted, term(t, a, "x") != 0)
			require.NoError(t, a.Round(t.Context()))
			require.EqualValues(t, 1, term(t, a, "x"), "a renewal restores trust")
		})
	}
}

func TestALostLeaseIsToldAndWonAgain(t *testing.T) {
	t.Parallel()
	db := storetest.DB(t, schema)
	a, changes := holder(t, db, "a", newClocks())
	b, _ := holder(t, db, "b", newClocks())
	a.Want("x")
	b.Want("x")
	require.NoError(t, a.Round(t.Context()))
	expire(t, db, "x")
	require.NoError(t, b.Round(t.Context()))
	require.EqualValues(t, 2, term(t, b, "x"))
	require.NoError(t, a.Round(t.Context()))
	require.Zero(t, term(t, a, "x"))
	require.NoError(t, b.Resign(t.Context(), "x"))
	require.NoError(t, a.Round(t.Context()))
	require.Equal(t, []lease.Change{{"x", 1, lease.Acquired}, {"x", 1, lease.Lost}, {"x", 3, lease.Acquired}}, *changes)
}

func TestARestartedHolderIsNobodySpecial(t *testing.T) {
	t.Parallel()
	db := storetest.DB(t, schema)
	before, _ := holder(t, db, "same-name", newClocks())
	after, _ := holder(t, db, "same-name", newClocks())
	before.Want("x")
	after.Want("x")
	require.NoError(t, before.Round(t.Context()))
	require.NoError(t, after.Round(t.Context()))
	require.Zero(t, term(t, after, "x"), "its predecessor may still live")
}

func TestMaxLeavesSomeForOthers(t *testing.T) {
	t.Parallel()
	db := storetest.DB(t, schema)
	var names []string
	for i := range 10 {
		names = append(names, fmt.Sprint("identity/", i))
	}
	total := 0
	for _, who := range []string{"a", "b"} {
		h, err := lease.New(db, lease.Config{Holder: who, Max: 5}, nil)
		require.NoError(t, err)
		h.Want(names...)
		for range 12 { // b does not know which are free
			require.NoError(t, h.Round(t.Context()))
		}
		require.LessOrEqual(t, len(h.Held()), 5)
		total += len(h.Held())
	}
	require.Greater(t, total, 5)
}

func TestHoldersInParallelNeverShare(t *testing.T) {
	t.Parallel()
	db := storetest.DB(t, schema)
	var names []string
	for i := range 200 {
		names = append(names, fmt.Sprint("identity/", i))
	}
	holders := make([]*lease.Holder, 4)
	errs := make([]error, len(holders))
	var wg sync.WaitGroup
	for i := range holders {
		holders[i], _ = holder(t, db, fmt.Sprint(i), newClocks())
		holders[i].Want(names...)
		wg.Go(func() { errs[i] = errors.Join(holders[i].Round(t.Context()), holders[i].Round(t.Context())) })
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	owners := map[string]int{}
	for _, h := range holders {
		for name := range h.Held() {
			owners[name]++
		}
	}
	require.Len(t, owners, len(names))
	for name, n := range owners {
		require.Equal(t, 1, n, name)
	}
}

const guarded = `
	WITH held AS (SELECT name FROM lease WHERE name = $1 AND term = $2 FOR SHARE)
	INSERT INTO guard (slot, term) SELECT $3, $2 FROM held`

func TestAGuardedWriteKnowsItsTerm(t *testing.T) {
	t.Parallel()
	db := storetest.DB(t, schema)
	a, _ := holder(t, db, "a", newClocks())
	b, _ := holder(t, db, "b", newClocks())
	a.Want("x")
	b.Want("x")
	require.NoError(t, a.Round(t.Context()))
	old := term(t, a, "x")
	tag, err := db.Exec(t.Context(), guarded, "x", old, 1)
	require.NoError(t, err)
	require.EqualValues(t, 1, tag.RowsAffected())
	expire(t, db, "x")
	require.NoError(t, b.Round(t.Context()))
	tag, err = db.Exec(t.Context(), guarded, "x", old, 2)
	require.NoError(t, err)
	require.Zero(t, tag.RowsAffected())
}

// A write that began under a term commits before the next term begins.
func TestAnAcquisitionWaitsForGuardedWrites(t *testing.T) {
	t.Parallel()
	db := storetest.DB(t, schema)
	a, _ := holder(t, db, "a", newClocks())
	b, _ := holder(t, db, "b", newClocks())
	a.Want("x")
	b.Want("x")
	require.NoError(t, a.Round(t.Context()))
	expire(t, db, "x")
	won := make(chan error, 1)
	require.NoError(t, store.InTx(t.Context(), db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), guarded, "x", term(t, a, "x"), 1); err != nil {
			return err
		}
		go func() { won <- b.Round(context.Background()) }()
		require.Eventually(t, func() bool {
			var waits bool
			err := db.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_locks
				JOIN pg_stat_activity a USING (pid) WHERE NOT granted AND a.datname = current_database())`).Scan(&waits)
			return err == nil && waits
		}, 10*time.Second, time.Millisecond)
		require.Zero(t, term(t, b, "x"))
		return nil
	}))
	require.NoError(t, <-won)
	require.EqualValues(t, 2, term(t, b, "x"))
}

func TestTheTableKeepsItsPromises(t *testing.T) {
	t.Parallel()
	db := storetest.DB(t, schema)
	a, _ := holder(t, db, "a", newClocks())
	a.Want("x")
	require.NoError(t, a.Round(t.Context()))
	for sql, want := range map[string]string{
		"DELETE FROM lease":              "never deleted",
		"UPDATE lease SET term = 0":      "only grows",
		"UPDATE lease SET holder = 'me'": "new term",
		"UPDATE lease SET name = 'y'":    "only grows",
	} {
		_, err := db.Exec(t.Context(), sql)
		require.ErrorContains(t, err, want, sql)
	}
}

func TestWithoutPostgresTrustRunsOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	settings := map[string]string{"fsync": "off", "shared_buffers": "16MB"}
	server := storetest.Server(t, dir, settings)
	url := server.URL(server.Database())
	require.NoError(t, store.Migrate(t.Context(), url, schema))
	db := storetest.Open(t, url, "activation")
	c := newClocks()
	a, changes := holder(t, db, "a", c)
	a.Want("x")
	require.NoError(t, a.Round(t.Context()))

	server.Stop(t.Context())
	require.Error(t, a.Round(t.Context()))
	require.EqualValues(t, 1, term(t, a, "x"), "still inside the window")
	c.move(8*time.Second, 8*time.Second)
	require.Zero(t, term(t, a, "x"))
	require.Error(t, a.Round(t.Context()))
	require.Zero(t, term(t, a, "x"))

	storetest.Server(t, dir, settings)
	require.Eventually(t, func() bool { return a.Round(t.Context()) == nil }, 20*time.Second, 10*time.Millisecond)
	require.EqualValues(t, 1, term(t, a, "x"))
	require.Len(t, *changes, 1)
}

func TestRunRenewsUntilItEnds(t *testing.T) {
	t.Parallel()
	db := storetest.DB(t, schema)
	acquired := make(chan lease.Change, 1)
	h, err := lease.New(db, lease.Config{
		Holder: "a", TTL: time.Second, Changed: func(c lease.Change) { acquired <- c },
	}, nil)
	require.NoError(t, err)
	h.Want("x")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- h.Run(ctx) }()
	require.Equal(t, lease.Change{Name: "x", Term: 1, What: lease.Acquired}, <-acquired)
	var first, now time.Time
	require.NoError(t, db.QueryRow(t.Context(), "SELECT expires_at FROM lease").Scan(&first))
	require.Eventually(t, func() bool {
		err := db.QueryRow(t.Context(), "SELECT expires_at FROM lease WHERE term = 1").Scan(&now)
		return err == nil && now.After(first)
	}, 10*time.Second, 10*time.Millisecond)
	cancel()
	require.NoError(t, <-ended)
}

func TestRefusesAConfigWithoutTrust(t *testing.T) {
	_, err := lease.New(nil, lease.Config{Holder: "a", TTL: time.Second, Margin: time.Second}, nil)
	require.ErrorContains(t, err, "nothing would be trusted")
	_, err = lease.New(nil, lease.Config{}, nil)
	require.ErrorContains(t, err, "holder")
}
