package guard

import (
	"bytes"
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// transact has the verdicts of claims decided and their rows committed, in two
// trips to Postgres: a round of hare waits for it.
func (g *Guard) transact(ctx context.Context, claims []claim, verdicts []Verdict) error {
	conn, err := g.db.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer conn.Release()
	defer func() {
		if conn.Conn().PgConn().TxStatus() != 'I' {
			_, _ = conn.Exec(context.WithoutCancel(ctx), "ROLLBACK")
		}
	}()
	if err := g.decide(ctx, conn, claims, verdicts); err != nil {
		return err
	}
	return g.commit(ctx, conn, claims, verdicts)
}

// decide fills in the verdicts of claims. It may run again after a deadlock.
func (g *Guard) decide(ctx context.Context, tx batcher, claims []claim, verdicts []Verdict) error {
	if err := g.step(beforeWrite); err != nil {
		return err
	}
	var open []int
	for i := range claims {
		if claims[i].term != 0 {
			open = append(open, i)
		}
	}
	b := new(pgx.Batch)
	b.Queue("BEGIN")
	b.Queue(text("begin"))
	// Slots that another transaction took while the statement ran had rows that it
	// could not see; once more does.
	for range 3 {
		var err error
		if open, err = g.claimOnce(ctx, tx, b, claims, verdicts, open); err != nil || len(open) == 0 {
			return err
		}
		b = new(pgx.Batch)
	}
	return fmt.Errorf("%d slots are taken, but not visible", len(open))
}

// batcher is a connection.
type batcher interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// commit keeps the audit and commits. Any error leaves nothing signed.
func (g *Guard) commit(ctx context.Context, tx batcher, claims []claim, verdicts []Verdict) error {
	if err := g.step(beforeCommit); err != nil {
		return err
	}
	b, committed := new(pgx.Batch), false
	g.audit(b, claims, verdicts)
	b.Queue("COMMIT").Exec(func(tag pgconn.CommandTag) error {
		committed = tag.String() == "COMMIT" // a failed transaction answers ROLLBACK
		return nil
	})
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if !committed {
		return fmt.Errorf("commit: %w", pgx.ErrTxCommitRollback)
	}
	g.metrics.Audited.Add(float64(len(claims)))
	return nil
}

// claimOnce runs the statement for the open claims, behind what the batch holds.
func (g *Guard) claimOnce(ctx context.Context, tx batcher, b *pgx.Batch, claims []claim, verdicts []Verdict, open []int) (unseen []int, err error) {
	b.Queue(text("sign_slots"),
		store.Column(open, func(i *int) int32 { return int32(*i) }),
		store.Column(open, func(i *int) []byte { return claims[*i].id[:] }),
		store.Column(open, func(i *int) int16 { return int16(claims[*i].slot.Kind) }),
		store.Column(open, func(i *int) int64 { return int64(claims[*i].slot.Major) }),
		store.Column(open, func(i *int) int64 { return int64(claims[*i].slot.Minor) }),
		store.Column(open, func(i *int) []byte { return claims[*i].hash[:] }),
		store.Column(open, func(i *int) int64 { return int64(claims[*i].term) }),
		store.Column(open, func(i *int) string { return LeaseName(claims[*i].id) }),
		store.Column(open, func(i *int) bool { return claims[*i].slot.Guarded() }),
	).Query(func(rows pgx.Rows) error {
		var i int32
		var owned, quarantined bool
		var fresh, old pgtype.DriverBytes
		seen := 0
		_, err := pgx.ForEachRow(rows, []any{&i, &owned, &quarantined, &fresh, &old}, func() error {
			seen++
			c, v := &claims[i], &verdicts[i]
			switch taken := firstOf(fresh, old); {
			case !owned:
				*v = Verdict{Outcome: NotOurs, Reason: ReasonStaleTerm}
			case quarantined:
				*v = Verdict{Outcome: Refused, Reason: ReasonQuarantine}
			case !c.slot.Guarded():
				*v = Verdict{Outcome: Signed}
			case taken == nil:
				unseen = append(unseen, int(i))
			case bytes.Equal(taken, c.hash[:]):
				*v = Verdict{Outcome: Signed}
			default:
				*v = Verdict{Outcome: Refused, Reason: ReasonConflict}
			}
			return nil
		})
		if err == nil && seen != len(open) {
			err = fmt.Errorf("%d verdicts for %d claims", seen, len(open))
		}
		return err
	})
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return nil, fmt.Errorf("claim slots: %w", err)
	}
	return unseen, nil
}

func firstOf(a, b []byte) []byte {
	if a != nil {
		return a
	}
	return b
}

// event is a row of the audit table.
type event struct {
	*claim
	name, detail string
}

func (g *Guard) audit(b *pgx.Batch, claims []claim, verdicts []Verdict) {
	events := make([]event, len(claims))
	for i := range claims {
		events[i] = event{&claims[i], verdicts[i].Outcome.String(), verdicts[i].Reason}
	}
	b.Queue(text("audit"),
		store.Column(events, func(e *event) []byte { return e.id[:] }),
		store.Column(events, func(e *event) string { return e.name }),
		store.Column(events, func(e *event) int16 { return int16(e.slot.Kind) }),
		store.Column(events, func(e *event) int64 { return int64(e.slot.Major) }),
		store.Column(events, func(e *event) int64 { return int64(e.slot.Minor) }),
		store.Column(events, func(e *event) []byte {
			if wire.IsZero(e.hash) {
				return nil
			}
			return e.hash[:]
		}),
		store.Column(events, func(e *event) int64 { return int64(e.term) }),
		store.Column(events, func(e *event) string { return e.detail }))
}
