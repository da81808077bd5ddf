package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/beacon"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/proposal"
	"github.com/smeshery/smeshery/pkg/tortoise"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/db"
)

// writeBatch is how many ballots one transaction takes.
const writeBatch = 512

// errStopped is what waits when the writer ends.
var errStopped = errors.New("consensus is stopping")

// entry is a ballot on its way into the database and the tortoise.
type entry struct {
	row     db.Ballot
	valid   *proposal.Valid
	decoded *tortoise.Decoded
	done    chan outcome
	// proof is set when storing the ballot showed an equivocation.
	proof *wire.MalfeasanceProof
	known bool
}

type outcome struct {
	kept proposal.Kept
	err  error
}

// writer stores ballots: whatever waits when the last transaction is done goes
// into the next one.
type writer struct {
	engine *Engine
	queue  chan *entry
	ended  chan struct{}
}

func newWriter(e *Engine) *writer {
	return &writer{engine: e, queue: make(chan *entry, writeBatch), ended: make(chan struct{})}
}

// put hands a ballot over and waits for its batch.
func (w *writer) put(ctx context.Context, en *entry) (proposal.Kept, error) {
	select {
	case w.queue <- en:
	case <-ctx.Done():
		return proposal.Kept{}, ctx.Err()
	case <-w.ended:
		return proposal.Kept{}, errStopped
	}
	select {
	case out := <-en.done:
		return out.kept, out.err
	case <-ctx.Done():
		return proposal.Kept{}, ctx.Err()
	case <-w.ended:
		return proposal.Kept{}, errStopped
	}
}

// run stores batches until ctx ends.
func (w *writer) run(ctx context.Context) error {
	defer close(w.ended)
	batch := make([]*entry, 0, writeBatch)
	for {
		select {
		case <-ctx.Done():
			return nil
		case en := <-w.queue:
			batch = w.gather(append(batch[:0], en))
		}
		w.write(ctx, batch)
	}
}

func (w *writer) gather(batch []*entry) []*entry {
	for len(batch) < writeBatch {
		select {
		case en := <-w.queue:
			batch = append(batch, en)
		default:
			return batch
		}
	}
	return batch
}

// write stores a batch and answers everybody in it.
func (w *writer) write(ctx context.Context, batch []*entry) {
	err := w.engine.write(ctx, func(tx pgx.Tx) error { return w.storeTx(ctx, tx, batch) })
	for _, en := range batch {
		out := outcome{err: err}
		if err == nil {
			out.kept, out.err = w.engine.count(ctx, en)
		}
		en.done <- out
	}
}

// storeTx inserts the batch and finds the equivocations in it (spec 06 §7.7).
func (w *writer) storeTx(ctx context.Context, tx pgx.Tx, batch []*entry) error {
	rows := make([]db.Ballot, len(batch))
	for i, en := range batch {
		en.proof, en.known = nil, false
		rows[i] = en.row
	}
	stored, err := db.BallotsOfSlots(ctx, tx, rows)
	if err != nil {
		return err
	}
	seen := make(map[slot]*db.Ballot, len(stored)+len(rows))
	for i := range stored {
		seen[slotOf(&stored[i])] = &stored[i]
	}
	for i, en := range batch {
		other := seen[slotOf(&rows[i])]
		switch {
		case other == nil:
			seen[slotOf(&rows[i])] = &rows[i]
		case other.ID == rows[i].ID:
			en.known = true
		default:
			en.proof = equivocation(other, &rows[i])
		}
	}
	return db.InsertBallots(ctx, tx, rows)
}

// slot is what an identity may fill with one ballot.
type slot struct {
	layer wire.LayerID
	node  wire.NodeID
}

func slotOf(b *db.Ballot) slot { return slot{b.Layer, b.Node} }

// equivocation proves two ballots of one identity in one layer.
func equivocation(a, b *db.Ballot) *wire.MalfeasanceProof {
	msg := func(x *db.Ballot) wire.BallotProofMsg {
		return wire.BallotProofMsg{
			InnerMsg:  wire.BallotMetadata{Layer: x.Layer, MsgHash: x.Hash},
			SmesherID: x.Node, Signature: x.Signature,
		}
	}
	return &wire.MalfeasanceProof{
		Layer: b.Layer, Type: wire.MultipleBallots,
		Data: &wire.BallotProof{Messages: [2]wire.BallotProofMsg{msg(a), msg(b)}},
	}
}

// count gives a stored ballot to the tortoise and its beacon to the beacon.
func (e *Engine) count(ctx context.Context, en *entry) (proposal.Kept, error) {
	kept := proposal.Kept{Known: en.known, Malicious: en.proof != nil}
	if en.proof != nil {
		e.accuse(ctx, en.proof)
	}
	e.mu.Lock()
	e.mesh.Seen(en.row.Layer)
	if kept.Malicious {
		e.index.SetMalicious(en.row.Node)
		e.tortoise.OnMalfeasance(en.row.Node)
	}
	err := e.tortoise.Store(en.decoded, kept.Malicious)
	if errors.Is(err, &tortoise.RuleError{Rule: tortoise.RuleBallotExists}) {
		kept.Known, err = true, nil
	}
	first := en.row.Layer > e.seen
	e.seen = max(e.seen, en.row.Layer)
	e.mu.Unlock()
	if err != nil {
		return kept, fmt.Errorf("count ballot %s: %w", en.row.ID, err)
	}
	if first {
		e.announce(ctx, &events.LayerUpdate{Layer: en.row.Layer, Status: events.LayerSeen})
	}
	// Also for a row that was there: its commit may have gone unanswered.
	err = e.beacons.Report(ctx, e.params.Epoch(en.row.Layer), beacon.BallotReport{
		Ballot: en.valid.ID, Beacon: en.valid.Beacon, Proofs: uint32(len(en.valid.Ballot.EligibilityProofs)),
		Per: beacon.EligibilityWeight(en.valid.ATX.Weight, en.valid.Slots),
	})
	if err != nil {
		return kept, fmt.Errorf("report ballot %s: %w", en.row.ID, err)
	}
	return kept, nil
}

// accuse hands a proof to activation, which stores and gossips it. If that fails
// the rows still show the equivocation, and the next start accuses again.
func (e *Engine) accuse(ctx context.Context, proof *wire.MalfeasanceProof) {
	body := codec.MustEncode(&wire.MalfeasanceGossip{MalfeasanceProof: *proof})
	verdict, err := bus.GossipIn(bus.TopicMalfeasance).Call(ctx, e.deps.Bus, bus.PeerMessage{Body: body})
	if err != nil || verdict.Verdict == bus.Reject {
		e.deps.Log.Error("a proof of malfeasance was not taken", "identity", proof.Data.MaliciousID(), "reason", verdict.Reason, "err", err)
	}
}
