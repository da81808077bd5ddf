package intake

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/outbox"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/db"
)

// errUnsettled says that answers kept raising questions.
var errUnsettled = errors.New("judging a batch does not come to an end")

// rounds bounds how often a batch is judged. New questions after an answer are
// rare, and each ATX has few.
const rounds = 64

// segment judges and stores a part of todo, and returns how many entries that
// settles: all, or those up to the first that marries identities.
func (in *Intake) segment(ctx context.Context, todo []*entry, current wire.EpochID) (int, error) {
	view, err := in.load(ctx, in.db, todo)
	if err != nil {
		return 0, err
	}
	n, err := in.judge(ctx, view, todo, current)
	if err != nil {
		return 0, err
	}
	changes, messages, err := in.collect(todo[:n])
	if err != nil || changes.Empty() {
		return n, err
	}
	err = store.InTx(ctx, in.db, func(tx pgx.Tx) error {
		heads, err := db.LockTx(ctx, tx)
		if err != nil {
			return err
		}
		if heads != view.heads {
			in.metrics.Again()
			if view, err = in.load(ctx, tx, todo); err != nil {
				return err
			}
			if n, err = in.judge(ctx, view, todo, current); err != nil {
				return err
			}
			if changes, messages, err = in.collect(todo[:n]); err != nil {
				return err
			}
			if changes.Empty() {
				return nil
			}
		}
		for i := range changes.ATXs {
			changes.ATXs[i].Seq = heads.ATXs + 1 + int64(i)
		}
		fresh, err := db.WriteTx(ctx, tx, changes)
		if err != nil {
			return err
		}
		told, err := in.tell(changes, fresh, current)
		if err != nil {
			return err
		}
		return outbox.AddTx(ctx, tx, append(told, messages...)...)
	})
	if err != nil {
		return 0, fmt.Errorf("store atxs: %w", err)
	}
	in.stored(len(changes.ATXs) > 0, len(changes.Malicious) > 0)
	return n, nil
}

// load reads what the batch will ask for.
func (in *Intake) load(ctx context.Context, q db.Batcher, todo []*entry) (*View, error) {
	view := newView(ctx, q, in.own, len(todo))
	messages := make([]*atx.Message, len(todo))
	for i, e := range todo {
		messages[i] = e.msg
	}
	for ref, p := range in.poets {
		view.rows.poets[ref] = p
	}
	if err := view.prefetch(messages, in.rules.Params.Golden); err != nil {
		return nil, err
	}
	in.keepPoets(view.rows.poets)
	return view, nil
}

// keepPoets remembers PoET proofs, which thousands of ATXs share.
func (in *Intake) keepPoets(read map[wire.PoetProofRef]known[atx.PoetProof]) {
	for ref, p := range read {
		if p.found {
			if len(in.poets) >= poetsSize {
				clear(in.poets)
			}
			in.poets[ref] = p
		}
	}
}

// judge applies the rules to entries until all are judged, or one marries
// identities, and has what they ask verified. It returns how many were judged.
func (in *Intake) judge(ctx context.Context, view *View, todo []*entry, current wire.EpochID) (int, error) {
	asked := &questions{memo: in.memo, answers: make(map[key]answer)}
	for range rounds {
		view.added.reset()
		asked.forget()
		n := in.pass(view, asked, todo, current)
		if view.failed != nil {
			return 0, view.failed
		}
		settled, err := in.resolve(ctx, asked)
		if err != nil {
			return 0, fmt.Errorf("verify space proofs: %w", err)
		}
		if settled {
			return n, nil
		}
	}
	return 0, errUnsettled
}

func (in *Intake) pass(view *View, asked *questions, todo []*entry, current wire.EpochID) int {
	for i, e := range todo {
		e.again(in.rules.Params.Versions)
		e.out = in.rules.Process(e.msg, e.Source, current, view, asked)
		view.added.apply(e.out.Effects)
		if e.out.Effects != nil && e.out.Effects.Marriage != nil {
			return i + 1
		}
	}
	return len(todo)
}

// collect gathers what judged entries store and say. Seq is still open.
func (in *Intake) collect(judged []*entry) (*db.Changes, []bus.Outgoing, error) {
	changes := &db.Changes{ATXs: make([]db.ATX, 0, len(judged))}
	var messages []bus.Outgoing
	for _, e := range judged {
		effects := e.out.Effects
		if effects == nil {
			continue
		}
		received := in.receivedAt(e)
		if effects.Row != nil {
			in.collectRow(changes, effects, received)
		}
		if effects.Proof == nil {
			continue
		}
		changes.Malicious = append(changes.Malicious, db.Malicious{
			Node: effects.Proof.NodeID, Received: received, Proof: effects.Proof.Encoded,
		})
		if effects.Proof.Gossip != nil {
			m, err := bus.GossipOut(bus.TopicMalfeasance).Outgoing(effects.Proof.Gossip)
			if err != nil {
				return nil, nil, err
			}
			messages = append(messages, m)
		}
	}
	return changes, messages, nil
}

func (in *Intake) collectRow(changes *db.Changes, e *atx.Effects, received int64) {
	e.Row.Received, e.Row.Validity = received, in.validity
	changes.ATXs = append(changes.ATXs, db.ATX{Row: e.Row, Version: e.Version, Blob: e.Blob, Posts: e.Posts})
	if e.Marriage != nil {
		changes.Marriage = e.Marriage
		if len(e.Marriage.Malicious) > 0 {
			changes.Suspects = append(changes.Suspects, db.Suspect{
				Nodes: e.Marriage.Malicious, Set: e.Marriage.ID, ATX: e.Row.ID, Received: received,
			})
		}
	}
	if e.CacheMalicious {
		changes.Suspects = append(changes.Suspects, db.Suspect{
			Nodes: []wire.NodeID{e.Row.NodeID}, ATX: e.Row.ID, Received: received,
		})
	}
}

func (in *Intake) receivedAt(e *entry) int64 {
	if in.received != nil {
		if at, ok := in.received(e.msg.ID); ok {
			return at.UnixNano()
		}
	}
	return e.Received.UnixNano()
}
