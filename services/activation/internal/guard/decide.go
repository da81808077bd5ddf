package guard

import (
	"bytes"
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
)

// decide writes the rows of claims and fills in their verdicts. It may run
// again after a deadlock.
func (g *Guard) decide(ctx context.Context, tx pgx.Tx, claims []claim, verdicts []Verdict) error {
	if err := store.DemandDurable(ctx, tx); err != nil {
		return err
	}
	if err := g.step(beforeWrite); err != nil {
		return err
	}
	var open []int
	for i := range claims {
		if claims[i].term != 0 {
			open = append(open, i)
		}
	}
	if err := g.claimSlots(ctx, tx, claims, verdicts, open); err != nil {
		return err
	}
	if err := g.audit(ctx, tx, claims, verdicts); err != nil {
		return err
	}
	return g.step(beforeCommit)
}

// claimSlots runs the statement for the open claims, and again for slots that
// another transaction took while it ran, whose rows it could not see.
func (g *Guard) claimSlots(ctx context.Context, tx pgx.Tx, claims []claim, verdicts []Verdict, open []int) error {
	for range 3 {
		if len(open) == 0 {
			return nil
		}
		var err error
		if open, err = g.claimOnce(ctx, tx, claims, verdicts, open); err != nil {
			return err
		}
	}
	return fmt.Errorf("%d slots are taken, but not visible", len(open))
}

func (g *Guard) claimOnce(ctx context.Context, tx pgx.Tx, claims []claim, verdicts []Verdict, open []int) (unseen []int, err error) {
	b := new(pgx.Batch)
	b.Queue("SELECT set_config('plan_cache_mode', 'force_custom_plan', true)")
	b.Queue(text("lock_shared"))
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

func (g *Guard) audit(ctx context.Context, tx pgx.Tx, claims []claim, verdicts []Verdict) error {
	events := make([]event, len(claims))
	for i := range claims {
		events[i] = event{&claims[i], verdicts[i].Outcome.String(), verdicts[i].Reason}
	}
	return g.keep(ctx, tx, events)
}

func (g *Guard) keep(ctx context.Context, db store.Execer, events []event) error {
	_, err := db.Exec(ctx, text("audit"),
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
	if err != nil {
		return fmt.Errorf("keep audit events: %w", err)
	}
	g.metrics.Audited.Add(float64(len(events)))
	return nil
}
