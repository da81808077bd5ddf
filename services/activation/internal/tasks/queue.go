package tasks

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

//go:embed sql/*.sql
var statements embed.FS

func text(name string) string {
	b, err := statements.ReadFile("sql/" + name + ".sql")
	if err != nil {
		panic(err) // the first test finds it
	}
	return string(b)
}

// Statements.
var (
	submitSQL, takeSQL, takeRemoteSQL   = text("submit"), text("take"), text("take_remote")
	beatSQL, lockSQL, reapSQL           = text("beat"), text("lock"), text("reap")
	abandonedSQL                        = text("abandoned")
	doneSQL, failedSQL, backSQL         = text("done"), text("failed"), text("back")
	releaseSQL, putSpacesSQL, forgetSQL = text("release"), text("put_spaces"), text("forget_spaces")
	infoSQL, endedSQL, cancelSQL        = text("info"), text("ended"), text("cancel")
	provingSQL, countsSQL               = text("proving"), text("counts")
	connectSQL, seenSQL, disconnectSQL  = text("connect"), text("seen"), text("disconnect")
)

// Config of a queue. Zero values take the defaults.
type Config struct {
	// Lost is how long a worker may be silent; 0 is 15 s.
	Lost time.Duration
	// Keep is how long ended tasks stay after their deadline; 0 is 24 h.
	Keep time.Duration
	// Poll is how often waiters look without being woken; 0 is 1 s.
	Poll time.Duration
}

func (c *Config) setDefaults() {
	or := func(v *time.Duration, def time.Duration) {
		if *v <= 0 {
			*v = def
		}
	}
	or(&c.Lost, 15*time.Second)
	or(&c.Keep, 24*time.Hour)
	or(&c.Poll, time.Second)
}

// Queue gives out tasks and takes their results.
type Queue struct {
	db      *store.DB
	bus     *bus.Conn
	log     *slog.Logger
	cfg     Config
	metrics *metrics
	waiting *waiting
}

// New makes a queue on activation's tables. registry may be nil.
func New(db *store.DB, conn *bus.Conn, cfg Config, log *slog.Logger, registry prometheus.Registerer) (*Queue, error) {
	cfg.setDefaults()
	m, err := newMetrics(registry)
	if err != nil {
		return nil, err
	}
	return &Queue{db: db, bus: conn, log: log, cfg: cfg, metrics: m, waiting: newWaiting()}, nil
}

// Lost is how long a worker may be silent.
func (q *Queue) Lost() time.Duration { return q.cfg.Lost }

// Submit adds a task, or finds it. left is how long its result is wanted, 0 for
// ever. again asks for data once more that was complete.
func (q *Queue) Submit(ctx context.Context, kind bus.TaskKind, node wire.NodeID, input []byte, left time.Duration, again bool) (bus.TaskReply, error) {
	key := input
	if kind == bus.PostInit {
		key = []byte{}
	}
	var ms *int64
	if left > 0 {
		n := max(left.Milliseconds(), 1)
		ms = &n
	}
	var r bus.TaskReply
	var id int64
	var state int16
	var same bool
	err := q.db.QueryRow(ctx, submitSQL, int16(kind), node[:], key, input, ms, again).Scan(&id, &state, &same, &r.Result, &r.Text)
	if err != nil {
		return r, fmt.Errorf("submit task: %w", err)
	}
	if !same {
		return r, bus.Errorf(bus.Conflict, "%s of %s runs with other settings", kind, node)
	}
	r.ID, r.State = uint64(id), bus.TaskState(state)
	if r.State == bus.TaskWaiting {
		q.wake(kind)
	}
	return r, nil
}

// wake tells workers of a kind that there may be work.
func (q *Queue) wake(kind bus.TaskKind) {
	if err := bus.Work(kind.String()).Hint(q.bus, bus.None{}); err != nil {
		q.log.Debug("workers were not woken", "kind", kind.String(), "err", err)
	}
}

// Take gives a worker what it can do.
func (q *Queue) Take(ctx context.Context, r bus.TakeRequest) ([]bus.Task, error) {
	kinds := store.Column(r.Kinds, func(k *bus.TaskKind) int16 { return int16(*k) })
	return q.take(ctx, takeSQL, r.Worker, kinds, r.Store, min(r.Max, 256), q.cfg.Lost.Milliseconds())
}

// TakeRemote takes the proofs of identities whose post-services are connected
// to this process, which worker names.
func (q *Queue) TakeRemote(ctx context.Context, worker string, nodes []wire.NodeID) ([]bus.Task, error) {
	return q.take(ctx, takeRemoteSQL, worker, keys(nodes))
}

func (q *Queue) take(ctx context.Context, sql string, args ...any) ([]bus.Task, error) {
	rows, err := q.db.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("take tasks: %w", err)
	}
	tasks, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t bus.Task, err error) {
		var id, left int64
		var attempt int32
		var kind int16
		var node []byte
		if err := row.Scan(&id, &attempt, &kind, &node, &left, &t.Input); err != nil {
			return t, err
		}
		t.ID, t.Attempt, t.Kind = uint64(id), uint32(attempt), bus.TaskKind(kind)
		t.Node, t.Left = wire.NodeID(node), uint64(left)
		return t, nil
	})
	if err != nil {
		return nil, fmt.Errorf("take tasks: %w", err)
	}
	for i := range tasks {
		q.metrics.ended.WithLabelValues(tasks[i].Kind.String(), "taken").Inc()
	}
	return tasks, nil
}

// Beat keeps tasks and answers which of them are not the worker's any more.
func (q *Queue) Beat(ctx context.Context, beats []bus.Beat) ([]uint64, error) {
	if len(beats) == 0 {
		return nil, nil
	}
	rows, err := q.db.Query(ctx, beatSQL,
		store.Column(beats, func(b *bus.Beat) int64 { return int64(b.ID) }),
		store.Column(beats, func(b *bus.Beat) int32 { return int32(b.Attempt) }),
		store.Column(beats, func(b *bus.Beat) int64 { return int64(b.Done) }),
		store.Column(beats, func(b *bus.Beat) int64 { return int64(b.Total) }))
	if err != nil {
		return nil, fmt.Errorf("beat: %w", err)
	}
	stop, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, fmt.Errorf("beat: %w", err)
	}
	return store.Column(stop, func(id *int64) uint64 { return uint64(*id) }), nil
}

// Cancel ends the tasks of an identity; their workers hear of it at their next beat.
func (q *Queue) Cancel(ctx context.Context, node wire.NodeID) error {
	if _, err := q.db.Exec(ctx, cancelSQL, node[:]); err != nil {
		return fmt.Errorf("cancel tasks: %w", err)
	}
	q.ended()
	return nil
}

// Proving lists the identities for which a proof is wanted.
func (q *Queue) Proving(ctx context.Context) (map[wire.NodeID]bool, error) {
	rows, err := q.db.Query(ctx, provingSQL)
	if err != nil {
		return nil, fmt.Errorf("read proving identities: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return nil, fmt.Errorf("read proving identities: %w", err)
	}
	out := make(map[wire.NodeID]bool, len(ids))
	for _, id := range ids {
		out[wire.NodeID(id)] = true
	}
	return out, nil
}

// errNotWanted is what a worker hears whose result nobody takes any more.
var errNotWanted = bus.Errorf(bus.Conflict, "the task was cancelled, is late, or another worker has it")

// Finish ends an attempt. A result is stored in the transaction that completes
// the task; a repeat is accepted.
func (q *Queue) Finish(ctx context.Context, r bus.FinishRequest) error {
	var kind bus.TaskKind
	err := store.RetryTx(ctx, q.db, func(tx pgx.Tx) (err error) {
		kind, err = finish(ctx, tx, &r)
		return err
	})
	if err != nil {
		if !errors.Is(err, bus.Conflict) && !errors.Is(err, bus.BadRequest) {
			return fmt.Errorf("finish task: %w", err)
		}
		return err
	}
	outcome := map[bus.TaskOutcome]string{bus.TaskDone: "done", bus.TaskFailed: "failed", bus.TaskBack: "back"}[r.Outcome]
	q.metrics.ended.WithLabelValues(kind.String(), outcome).Inc()
	if r.Outcome == bus.TaskBack {
		q.wake(kind)
	}
	q.ended()
	return nil
}

func finish(ctx context.Context, tx pgx.Tx, r *bus.FinishRequest) (bus.TaskKind, error) {
	var kind, state int16
	var attempts int32
	var late bool
	var id, result []byte
	var was string
	err := tx.QueryRow(ctx, lockSQL, int64(r.ID)).Scan(&kind, &id, &state, &attempts, &late, &result, &was)
	if store.NotFound(err) {
		return 0, errNotWanted
	}
	if err != nil {
		return 0, err
	}
	k := bus.TaskKind(kind)
	ours := uint32(attempts) == r.Attempt
	switch {
	case ours && r.Outcome == bus.TaskDone && bus.TaskState(state) == bus.TaskCompleted && string(result) == string(r.Result),
		ours && r.Outcome == bus.TaskFailed && bus.TaskState(state) == bus.TaskRefused && was == message(r.Text):
		return k, nil // said before
	case !ours || bus.TaskState(state) != bus.TaskRunning || late:
		return k, errNotWanted
	}
	switch r.Outcome {
	case bus.TaskDone:
		return k, complete(ctx, tx, k, wire.NodeID(id), r)
	case bus.TaskFailed:
		_, err = tx.Exec(ctx, failedSQL, int64(r.ID), message(r.Text))
		return k, err
	case bus.TaskBack:
		if r.Release && k == bus.PostInit {
			if _, err := tx.Exec(ctx, releaseSQL, id); err != nil {
				return k, err
			}
		}
		_, err = tx.Exec(ctx, backSQL, int64(r.ID), message(r.Text), int64(min(r.Delay, 1<<40)))
		return k, err
	}
	return k, bus.Errorf(bus.BadRequest, "outcome %d", r.Outcome)
}

// complete stores a result with what follows from it.
func complete(ctx context.Context, tx pgx.Tx, kind bus.TaskKind, node wire.NodeID, r *bus.FinishRequest) error {
	if err := check(kind, node, r.Result); err != nil {
		return err
	}
	if kind == bus.PostInit {
		var data bus.SpaceData
		if err := codec.Decode(r.Result, &data); err != nil {
			return bus.Errorf(bus.BadRequest, "result: %v", err)
		}
		var disk string
		err := tx.QueryRow(ctx, "SELECT coalesce(store, '') FROM spaces WHERE node_id = $1 FOR UPDATE", node[:]).Scan(&disk)
		if err != nil || disk == "" {
			return errNotWanted
		}
		if _, err := putSpaces(ctx, tx, disk, []bus.SpaceData{data}); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, doneSQL, int64(r.ID), r.Result)
	return err
}

// check decodes a result, so that whoever waits for it finds what its kind promises.
func check(kind bus.TaskKind, node wire.NodeID, result []byte) error {
	var into codec.Coded
	var data *bus.SpaceData
	switch kind {
	case bus.PostInit:
		data = new(bus.SpaceData)
		into = data
	case bus.PostProve:
		proof := new(bus.PostProveResult)
		into, data = proof, &proof.Data
	case bus.K2Pow:
		into = new(bus.K2PowResult)
	case bus.PostVerify:
		into = new(bus.PostVerifyResult)
	default:
		return bus.Errorf(bus.BadRequest, "kind %d", kind)
	}
	if err := codec.Decode(result, into); err != nil {
		return bus.Errorf(bus.BadRequest, "result of %s: %v", kind, err)
	}
	if data != nil && (data.Node != node || !data.Complete || data.Nonce == nil) {
		return bus.Errorf(bus.BadRequest, "result of %s: it is about other or incomplete data", kind)
	}
	return nil
}

// message keeps a text within what rows and replies carry.
func message(s string) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "?")
	if len(s) > 1000 {
		s = strings.ToValidUTF8(s[:1000], "")
	}
	return s
}

func keys(ids []wire.NodeID) [][]byte {
	return store.Column(ids, func(id *wire.NodeID) []byte { return id[:] })
}
