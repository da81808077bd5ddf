package smeshing

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/outbox"
	read "github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/wire"
)

// tell puts events into the outbox. key makes their ids the same when a step is
// repeated after a crash.
func (l *life) tell(ctx context.Context, tx pgx.Tx, key string, bodies ...events.Body) error {
	return addEvents(ctx, tx, l.now(), l.id.String()+"/"+key, bodies...)
}

func addEvents(ctx context.Context, tx pgx.Tx, at time.Time, key string, bodies ...events.Body) error {
	messages := make([]bus.Outgoing, len(bodies))
	for i, body := range bodies {
		var err error
		if messages[i], err = events.New(bus.ActivationService, at, key, body); err != nil {
			return err
		}
	}
	return outbox.AddTx(ctx, tx, messages...)
}

// say tells what no row of ours depends on. It is a nicety, so trouble is logged.
func (l *life) say(ctx context.Context, key string, bodies ...events.Body) {
	err := store.InTx(ctx, l.deps.DB, func(tx pgx.Tx) error { return l.tell(ctx, tx, key, bodies...) })
	if err != nil && ctx.Err() == nil {
		l.log.Warn("event is lost", "err", err)
	}
	l.deps.Wake()
}

// Downloaded tells of a PoET's proof that was stored for everybody.
func (s *Smesher) Downloaded(address, round string, leaves uint64) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := store.InTx(ctx, s.deps.DB, func(tx pgx.Tx) error {
		return addEvents(ctx, tx, s.deps.Alarm.Now(), address+"/"+round, &events.PoetProofDownloaded{
			URL: address, Round: round, Ticks: leaves / s.cfg.Network.TickSize,
		})
	})
	if err != nil {
		s.deps.Log.Warn("event is lost", "err", err)
	}
	s.deps.Wake()
}

const saveStep = `INSERT INTO steps AS s (node_id, name, step, publish_epoch, until, note)
	SELECT $1, $2, $3, $4, $5, $6 FROM lease WHERE name = $7 AND term = $8
	ON CONFLICT (node_id) DO UPDATE SET name = excluded.name, step = excluded.step, publish_epoch = excluded.publish_epoch,
		until = excluded.until, note = excluded.note,
		since = CASE WHEN s.step = excluded.step AND s.publish_epoch = excluded.publish_epoch THEN s.since ELSE clock_timestamp() END`

// show writes down where the identity is, for people.
func (l *life) show(ctx context.Context, step read.Step, publish wire.EpochID, until time.Time) {
	l.write(ctx, step, publish, until, "")
}

// note adds why it does not go on.
func (l *life) note(ctx context.Context, reason error) {
	_, err := l.deps.DB.Exec(ctx, `INSERT INTO steps (node_id, name, step, note) SELECT $1, $2, $3, $4 FROM lease WHERE name = $5 AND term = $6
		ON CONFLICT (node_id) DO UPDATE SET note = excluded.note`,
		l.id[:], l.deps.Name(l.id), string(cmp.Or(l.shown, read.StepWaitWindow)), fmt.Sprintf("%.500s", reason), l.lease, int64(l.term))
	if err != nil && ctx.Err() == nil {
		l.log.Warn("note is lost", "err", err)
	}
}

func (l *life) write(ctx context.Context, step read.Step, publish wire.EpochID, until time.Time, note string) {
	l.at.Store(&spot{step, publish})
	var nanos int64
	if !until.IsZero() {
		nanos = until.UnixNano()
	}
	_, err := l.deps.DB.Exec(ctx, saveStep, l.id[:], l.deps.Name(l.id), string(step), int64(publish), nanos, note, l.lease, int64(l.term))
	if err != nil && ctx.Err() == nil {
		l.log.Warn("step is not shown", "err", err)
	}
	if l.shown != step {
		l.shown = step
		l.log.Info("identity", "step", string(step), "publish", publish, "until", until)
	}
}
