package tasks

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/store"
	read "github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/store/storetest"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/db"
	"github.com/smeshery/smeshery/services/activation/internal/smeshing"
)

func queue(t *testing.T, cfg Config) *Queue {
	t.Helper()
	d := storetest.DB(t, store.Schema{Name: "activation", Parts: []store.Part{db.Part()}})
	server, err := bus.StartServer(bus.ServerConfig{StoreDir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	conn, err := bus.Connect(bus.Config{Service: bus.ActivationService, Server: server}, bus.Deps{})
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	q, err := New(d, conn, cfg, slog.New(slog.DiscardHandler), nil)
	require.NoError(t, err)
	return q
}

func running(t *testing.T, q *Queue) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = q.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
}

func node(n byte) wire.NodeID { return wire.NodeID{n, 1} }

func data(n byte) bus.SpaceData {
	nonce := uint64(3)
	return bus.SpaceData{Node: node(n), Commitment: wire.ATXID{2}, Units: 1, LabelsPerUnit: 64, Nonce: &nonce, Complete: true}
}

func (q *Queue) takeOne(t *testing.T, worker, disk string, kinds ...bus.TaskKind) *bus.Task {
	t.Helper()
	tasks, err := q.Take(t.Context(), bus.TakeRequest{Worker: worker, Store: disk, Kinds: kinds, Max: 1})
	require.NoError(t, err)
	if len(tasks) == 0 {
		return nil
	}
	return &tasks[0]
}

func done(task *bus.Task, result codec.Coded) bus.FinishRequest {
	return bus.FinishRequest{ID: task.ID, Attempt: task.Attempt, Outcome: bus.TaskDone, Result: codec.MustEncode(result)}
}

func challenge(n byte) []byte {
	return codec.MustEncode(&bus.PostProveInput{Challenge: wire.Hash32{n}})
}

func TestTheNearestDeadlineGoesFirst(t *testing.T) {
	q := queue(t, Config{})
	_, err := q.Announce(t.Context(), bus.AnnounceRequest{Store: "disk", Spaces: []bus.SpaceData{data(1), data(2), data(3)}})
	require.NoError(t, err)
	for n, left := range map[byte]time.Duration{1: 3 * time.Hour, 2: time.Hour, 3: 2 * time.Hour} {
		_, err := q.Submit(t.Context(), bus.PostProve, node(n), challenge(n), left, false)
		require.NoError(t, err)
	}
	require.Nil(t, q.takeOne(t, "w", "elsewhere", bus.PostProve))
	open, err := read.OpenWork(t.Context(), q.db)
	require.NoError(t, err)
	require.Len(t, open, 3)
	require.Equal(t, read.Work{Node: node(2), Kind: bus.PostProve}, open[0])
	require.Nil(t, q.takeOne(t, "w", "disk", bus.PostInit))
	for _, n := range []byte{2, 3, 1} {
		task := q.takeOne(t, "w", "disk", bus.PostProve)
		require.NotNil(t, task)
		require.Equal(t, node(n), task.Node)
		require.NotZero(t, task.Left)
	}
	require.Nil(t, q.takeOne(t, "w", "disk", bus.PostProve))
}

func TestATaskHasOneResult(t *testing.T) {
	q := queue(t, Config{})
	_, err := q.Announce(t.Context(), bus.AnnounceRequest{Store: "disk", Spaces: []bus.SpaceData{data(1)}})
	require.NoError(t, err)
	submit := func() bus.TaskReply {
		r, err := q.Submit(t.Context(), bus.PostProve, node(1), challenge(1), time.Hour, false)
		require.NoError(t, err)
		return r
	}
	first := submit()
	require.Equal(t, bus.TaskWaiting, first.State)
	old := q.takeOne(t, "a", "disk", bus.PostProve)
	require.Equal(t, bus.TaskRunning, submit().State)
	back := bus.FinishRequest{ID: old.ID, Attempt: old.Attempt, Outcome: bus.TaskBack, Text: "disk is full", Delay: 3600_000}
	require.NoError(t, q.Finish(t.Context(), back))
	require.Nil(t, q.takeOne(t, "b", "disk", bus.PostProve)) // not yet
	back.Delay = 0
	require.ErrorIs(t, q.Finish(t.Context(), back), bus.Conflict)
	_, err = q.db.Exec(t.Context(), "UPDATE tasks SET not_before = '-infinity'")
	require.NoError(t, err)
	task := q.takeOne(t, "b", "disk", bus.PostProve)
	require.Equal(t, old.ID, task.ID)

	result := &bus.PostProveResult{Post: wire.PostV1{Indices: []byte{1}}, Data: data(1)}
	require.ErrorIs(t, q.Finish(t.Context(), done(old, result)), bus.Conflict)
	require.ErrorIs(t, q.Finish(t.Context(), done(task, &bus.PostProveResult{Data: data(2)})), bus.BadRequest)
	require.ErrorIs(t, q.Finish(t.Context(), done(task, &bus.K2PowResult{})), bus.BadRequest)
	require.NoError(t, q.Finish(t.Context(), done(task, result)))
	require.NoError(t, q.Finish(t.Context(), done(task, result))) // the answer was lost
	other := &bus.PostProveResult{Post: wire.PostV1{Indices: []byte{2}}, Data: data(1)}
	require.ErrorIs(t, q.Finish(t.Context(), done(task, other)), bus.Conflict)
	again := submit()
	require.Equal(t, bus.TaskCompleted, again.State)
	require.Equal(t, codec.MustEncode(result), again.Result)
}

func TestALostWorkersTaskGoesToAnother(t *testing.T) {
	q := queue(t, Config{Lost: 200 * time.Millisecond})
	_, err := q.Submit(t.Context(), bus.PostInit, node(1), codec.MustEncode(&bus.PostInitInput{Units: 1}), 0, false)
	require.NoError(t, err)
	lost := q.takeOne(t, "lost", "disk", bus.PostInit)
	require.NotNil(t, lost)
	running(t, q)
	var next *bus.Task
	require.Eventually(t, func() bool { next = q.takeOne(t, "next", "disk", bus.PostInit); return next != nil },
		20*time.Second, 5*time.Millisecond)
	require.Equal(t, lost.ID, next.ID)
	stop, err := q.Beat(t.Context(), []bus.Beat{
		{ID: next.ID, Attempt: next.Attempt, Done: 4, Total: 5}, {ID: 99},
	})
	require.NoError(t, err)
	require.Equal(t, []uint64{99}, stop)
	stop, err = q.Beat(t.Context(), []bus.Beat{{ID: lost.ID, Attempt: lost.Attempt}})
	require.NoError(t, err)
	require.Equal(t, []uint64{lost.ID}, stop)
	d := data(1)
	require.ErrorIs(t, q.Finish(t.Context(), done(lost, &d)), bus.Conflict)
	require.NoError(t, q.Finish(t.Context(), done(next, &d)))
	info, ok, err := q.Info(t.Context(), node(1))
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, infoOf(&d), info)
}

// The disk that an identity's data was begun on keeps it, unless nothing was written.
func TestDataStaysOnItsDisk(t *testing.T) {
	q := queue(t, Config{})
	_, err := q.Submit(t.Context(), bus.PostInit, node(1), codec.MustEncode(&bus.PostInitInput{Units: 1}), 0, false)
	require.NoError(t, err)
	require.Nil(t, q.takeOne(t, "w", "", bus.PostInit))
	back := func(task *bus.Task, release bool) {
		require.NoError(t, q.Finish(t.Context(), bus.FinishRequest{
			ID: task.ID, Attempt: task.Attempt, Outcome: bus.TaskBack, Text: "no room", Release: release,
		}))
	}
	back(q.takeOne(t, "w", "a", bus.PostInit), false)
	require.Nil(t, q.takeOne(t, "w", "b", bus.PostInit))
	back(q.takeOne(t, "w", "a", bus.PostInit), true)
	task := q.takeOne(t, "w", "b", bus.PostInit)
	require.NotNil(t, task)
	// What is being made is not forgotten, though no file is there yet.
	_, err = q.Announce(t.Context(), bus.AnnounceRequest{Store: "b"})
	require.NoError(t, err)
	d := data(1)
	require.NoError(t, q.Finish(t.Context(), done(task, &d)))
	elsewhere, err := q.Announce(t.Context(), bus.AnnounceRequest{Store: "a", Spaces: []bus.SpaceData{d}})
	require.NoError(t, err)
	require.Equal(t, []wire.NodeID{node(1)}, elsewhere)
	_, err = q.Announce(t.Context(), bus.AnnounceRequest{Store: "b"}) // it was deleted
	require.NoError(t, err)
	_, ok, err := q.Info(t.Context(), node(1))
	require.NoError(t, err)
	require.False(t, ok)
}

func TestLateTasksEnd(t *testing.T) {
	q := queue(t, Config{Lost: 300 * time.Millisecond, Poll: 10 * time.Millisecond})
	_, err := q.Announce(t.Context(), bus.AnnounceRequest{Store: "disk", Spaces: []bus.SpaceData{data(1)}})
	require.NoError(t, err)
	r, err := q.Submit(t.Context(), bus.PostProve, node(1), challenge(1), time.Hour, false)
	require.NoError(t, err)
	task := q.takeOne(t, "w", "disk", bus.PostProve)
	running(t, q)
	_, err = q.db.Exec(t.Context(), "UPDATE tasks SET deadline = clock_timestamp()")
	require.NoError(t, err)
	ended, err := q.Await(t.Context(), r.ID)
	require.NoError(t, err)
	require.Equal(t, bus.TaskRefused, ended.State)
	require.Equal(t, "not done in time", ended.Text)
	require.ErrorIs(t, q.Finish(t.Context(), done(task, &bus.PostProveResult{Data: data(1)})), bus.Conflict)
}

func TestSpaceWaitsForWorkers(t *testing.T) {
	q := queue(t, Config{Poll: 10 * time.Millisecond})
	require.NoError(t, q.Serve(t.Context()))
	running(t, q)
	space := &Space{Queue: q, Workers: true, Now: time.Now}
	type answer struct {
		info smeshing.SpaceInfo
		err  error
	}
	initialized := make(chan answer, 2)
	for range 2 { // both join one task
		go func() {
			info, err := space.Initialize(t.Context(), smeshing.SpaceSetup{Node: node(1), Commitment: wire.ATXID{9}, Units: 1})
			initialized <- answer{info, err}
		}()
	}
	take := func(kind bus.TaskKind) *bus.Task {
		var task *bus.Task
		require.Eventually(t, func() bool { task = q.takeOne(t, "w", "disk", kind); return task != nil },
			20*time.Second, time.Millisecond)
		return task
	}
	d := data(1)
	require.NoError(t, q.Finish(t.Context(), done(take(bus.PostInit), &d)))
	for range 2 {
		require.Equal(t, answer{infoOf(&d), nil}, <-initialized)
	}
	proved := make(chan error, 1)
	prove := func() {
		p, err := space.Prove(t.Context(), node(1), wire.Hash32{5}, time.Now().Add(time.Hour))
		if err == nil {
			require.Equal(t, infoOf(&d), p.Info)
			require.Equal(t, []byte{7}, p.Post.Indices)
		}
		proved <- err
	}
	go prove()
	task := take(bus.PostProve)
	require.NoError(t, q.Finish(t.Context(), bus.FinishRequest{ID: task.ID, Attempt: task.Attempt, Outcome: bus.TaskFailed, Text: "file 3 is altered"}))
	err := <-proved
	require.ErrorIs(t, err, ErrTask)
	require.ErrorContains(t, err, "file 3 is altered")
	go prove() // asking again tries again
	result := &bus.PostProveResult{Post: wire.PostV1{Indices: []byte{7}}, Data: d}
	require.NoError(t, q.Finish(t.Context(), done(take(bus.PostProve), result)))
	require.NoError(t, <-proved)
	prove() // stored
	require.NoError(t, <-proved)
	_, err = space.Prove(t.Context(), node(1), wire.Hash32{6}, time.Now())
	require.ErrorIs(t, err, context.DeadlineExceeded)

	go prove2(t, space, proved)
	take(bus.PostProve)
	require.NoError(t, q.Cancel(t.Context(), node(1)))
	require.ErrorContains(t, <-proved, "cancelled")
}

func prove2(t *testing.T, space *Space, proved chan error) {
	_, err := space.Prove(t.Context(), node(1), wire.Hash32{77}, time.Now().Add(time.Hour))
	proved <- err
}

// A post-service that is connected goes before own data.
func TestPostServicesComeFirst(t *testing.T) {
	q := queue(t, Config{Poll: 10 * time.Millisecond, Lost: time.Hour})
	_, err := q.Announce(t.Context(), bus.AnnounceRequest{Store: "disk", Spaces: []bus.SpaceData{data(1)}})
	require.NoError(t, err)
	_, err = q.Submit(t.Context(), bus.PostProve, node(1), challenge(1), time.Hour, false)
	require.NoError(t, err)
	c := &Connection{Holder: "here", Number: 1, Data: data(1)}
	c.Data.Units = 2
	ok, err := q.Connect(t.Context(), c)
	require.NoError(t, err)
	require.True(t, ok)
	other := *c
	other.Holder = "there"
	ok, err = q.Connect(t.Context(), &other)
	require.NoError(t, err)
	require.False(t, ok)
	require.Nil(t, q.takeOne(t, "w", "disk", bus.PostProve))
	info, ok, err := q.Info(t.Context(), node(1))
	require.NoError(t, err)
	require.True(t, ok)
	require.EqualValues(t, 2, info.Units)
	tasks, err := q.TakeRemote(t.Context(), "here", []wire.NodeID{node(1), node(2)})
	require.NoError(t, err)
	require.Len(t, tasks, 1)
	proving, err := q.Proving(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[wire.NodeID]bool{node(1): true}, proving)
	require.NoError(t, q.Seen(t.Context(), "here", []wire.NodeID{node(1)}))
	require.NoError(t, q.Disconnect(t.Context(), &other)) // not its own
	require.NoError(t, q.Disconnect(t.Context(), c))
	info, _, err = q.Info(t.Context(), node(1))
	require.NoError(t, err)
	require.EqualValues(t, 1, info.Units)
	require.NoError(t, q.Finish(t.Context(), bus.FinishRequest{ID: tasks[0].ID, Attempt: tasks[0].Attempt, Outcome: bus.TaskBack}))
	require.NotNil(t, q.takeOne(t, "w", "disk", bus.PostProve))
	require.NoError(t, q.Reap(t.Context()))
}

func TestAStartThatLeavesNoWorkers(t *testing.T) {
	q := queue(t, Config{})
	_, err := q.Announce(t.Context(), bus.AnnounceRequest{Store: "disk", Spaces: []bus.SpaceData{data(1)}})
	require.NoError(t, err)
	_, err = q.Submit(t.Context(), bus.PostProve, node(1), challenge(1), time.Hour, false)
	require.NoError(t, err)
	before := q.takeOne(t, "gone", "disk", bus.PostProve)
	require.NotNil(t, before)
	require.Nil(t, q.takeOne(t, "next", "disk", bus.PostProve))
	require.NoError(t, q.Abandoned(t.Context()))
	again := q.takeOne(t, "next", "disk", bus.PostProve)
	require.NotNil(t, again, "it is not waited for")
	require.Greater(t, again.Attempt, before.Attempt)
}
