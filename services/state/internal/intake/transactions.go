package intake

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/mempool"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/outbox"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"

	"github.com/smeshery/smeshery/services/state/internal/db"
	"github.com/smeshery/smeshery/services/state/internal/ledger"
)

// Origin is how transactions came.
type Origin uint8

const (
	// Gossip: a peer sent it unasked (spec 07 §14.1).
	Gossip Origin = iota
	// Fetched: we asked for it by hash, because a proposal or a block lists
	// it. The mempool takes it if it will; it is kept in any case, since a
	// block may list transactions that are not valid (spec 07 §14.3).
	Fetched
	// Submitted: a client of this node gave it (spec 07 §14.2).
	Submitted
)

// Incoming is a transaction to be judged.
type Incoming struct {
	Raw []byte
	// Expected is the id that was asked for, if it was.
	Expected wire.TransactionID
}

// Transactions judges and stores transactions.
type Transactions struct {
	DB     *store.DB
	Ledger *ledger.Ledger
	Pool   Pool
	Now    func() time.Time
	// Events makes an event for users.
	Events func(id string, body events.Body) (bus.Outgoing, error)
	// Wake tells the outbox that something was added.
	Wake func()
}

// Pool is the mempool.
type Pool interface {
	Receive(js []mempool.Judgement, accounts vm.AccountReader) []error
	Doubt()
	Link(layer wire.LayerID, block wire.BlockID, ids []wire.TransactionID)
}

// batch is transactions that are judged together, each id once.
type batch struct {
	origin   Origin
	ids      []wire.TransactionID
	raws     [][]byte
	expected []wire.TransactionID
	known    map[wire.TransactionID]db.Known
	accounts *ledger.Accounts
	verified []vm.Tx
	verdicts []mempool.Judgement
	errs     []error
}

// Judge answers for each transaction either a judgement or an error. What is
// accepted is stored when it returns.
func (t *Transactions) Judge(ctx context.Context, origin Origin, in []Incoming) ([]bus.Judgement, []error) {
	out, errs := make([]bus.Judgement, len(in)), make([]error, len(in))
	b, places := newBatch(origin, in)
	err := t.judge(ctx, b)
	if err == nil {
		err = t.store(ctx, b)
	}
	for i, place := range places {
		switch {
		case err != nil:
			errs[i] = err
		case b.errs[place] != nil:
			errs[i] = b.errs[place]
		default:
			out[i] = judgement(b.verdicts[place])
		}
	}
	return out, errs
}

// newBatch leaves out repeats; places says where each one went. The same bytes
// under two expected ids are two transactions here, of which one is refused.
func newBatch(origin Origin, in []Incoming) (*batch, []int) {
	type key struct{ id, expected wire.TransactionID }
	b := &batch{origin: origin}
	seen := make(map[key]int, len(in))
	places := make([]int, len(in))
	for i := range in {
		raw := in[i].Raw
		if raw == nil {
			raw = []byte{}
		}
		id := wire.NewRawTx(raw).ID
		place, again := seen[key{id, in[i].Expected}]
		if !again {
			place = len(b.ids)
			seen[key{id, in[i].Expected}] = place
			b.ids = append(b.ids, id)
			b.raws = append(b.raws, raw)
			b.expected = append(b.expected, in[i].Expected)
		}
		places[i] = place
	}
	return b, places
}

// judge fills the batch's verdicts. Nothing is stored yet.
func (t *Transactions) judge(ctx context.Context, b *batch) error {
	var err error
	if b.known, err = db.KnownTransactions(ctx, t.DB, b.ids); err != nil {
		return err
	}
	if err := t.verify(ctx, b); err != nil {
		return err
	}
	now := t.Now().UnixNano()
	b.verdicts, b.errs = make([]mempool.Judgement, len(b.ids)), make([]error, len(b.ids))
	for i, id := range b.ids {
		known := b.known[id]
		if b.origin != Fetched && known.Submitted && known.Stored >= mempool.WithHeader {
			b.verdicts[i] = mempool.Judgement{Verdict: mempool.Accept} // our own, on its way to the network
			continue
		}
		b.verdicts[i], b.errs[i] = t.check(b, i, now, source(b.origin))
	}
	for i, err := range t.Pool.Receive(b.verdicts, b.accounts) {
		b.errs[i] = errors.Join(b.errs[i], err)
	}
	if b.origin == Fetched {
		t.keepIgnored(b, now)
	}
	return nil
}

func source(o Origin) mempool.Source {
	if o == Fetched {
		return mempool.ForProposal
	}
	return mempool.Gossip
}

// verify reads principals' accounts and checks signatures of what is new.
func (t *Transactions) verify(ctx context.Context, b *batch) error {
	b.verified = make([]vm.Tx, len(b.ids))
	var room [4]wire.Address
	principals := make([]wire.Address, 0, len(b.ids))
	for i, id := range b.ids {
		b.verified[i] = vm.Tx{ID: id, Raw: b.raws[i], Verified: b.known[id].Stored >= mempool.WithHeader}
		if b.verified[i].Verified {
			continue
		}
		if reads := vm.AppendReads(room[:0], b.raws[i]); len(reads) > 0 {
			principals = append(principals, reads[0])
		}
	}
	var err error
	if b.accounts, err = t.Ledger.Accounts(ctx, principals); err != nil {
		return err
	}
	return t.Ledger.Machine().Preverify(b.verified, b.accounts)
}

func (t *Transactions) check(b *batch, i int, now int64, s mempool.Source) (mempool.Judgement, error) {
	return mempool.Check(t.Ledger.Machine(), mempool.Message{
		Source: s, Raw: b.raws[i], Expected: b.expected[i], Received: now,
		Stored: b.known[b.ids[i]].Stored, Verified: b.verified[i].Verified,
	}, b.accounts)
}

// keepIgnored judges again, as part of a block, what the mempool does not want.
func (t *Transactions) keepIgnored(b *batch, now int64) {
	for i := range b.verdicts {
		if b.errs[i] != nil || b.verdicts[i].Verdict != mempool.Ignore {
			continue
		}
		reason := b.verdicts[i].Reason
		if b.verdicts[i], b.errs[i] = t.check(b, i, now, mempool.ForBlock); b.verdicts[i].Reason == nil {
			b.verdicts[i].Reason = reason
		}
	}
}

// store writes what is to be kept, in one transaction.
func (t *Transactions) store(ctx context.Context, b *batch) error {
	var rows []db.Transaction
	var messages []bus.Outgoing
	var event events.Transactions
	stored := make(map[wire.TransactionID]bool)
	for i := range b.verdicts {
		j := &b.verdicts[i]
		if b.errs[i] != nil || j.Store == mempool.Absent || stored[b.ids[i]] {
			continue
		}
		stored[b.ids[i]] = true
		row := db.Transaction{ID: b.ids[i], Raw: b.raws[i], Received: j.Tx.Received, Submitted: b.origin == Submitted}
		if j.Store == mempool.WithHeader {
			row.Header = &j.Tx.Header
			event.IDs = append(event.IDs, row.ID)
		}
		rows = append(rows, row)
		if b.origin == Submitted {
			m, err := bus.GossipOut(bus.TopicTransaction).Outgoing(row.Raw)
			if err != nil {
				return err
			}
			messages = append(messages, m)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	if len(event.IDs) > 0 {
		m, err := t.Events(event.IDs[0].String(), &event)
		if err != nil {
			return err
		}
		messages = append(messages, m)
	}
	err := store.RetryTx(ctx, t.DB, func(tx pgx.Tx) error {
		return errors.Join(db.StoreTransactionsTx(ctx, tx, rows), outbox.AddTx(ctx, tx, messages...))
	})
	if err != nil {
		t.Pool.Doubt()
		return fmt.Errorf("transactions: %w", err)
	}
	t.Wake()
	return nil
}

// Missing lists which of the transactions are not stored.
func (t *Transactions) Missing(ctx context.Context, ids []wire.TransactionID) ([]wire.TransactionID, error) {
	known, err := db.KnownTransactions(ctx, t.DB, ids)
	if err != nil {
		return nil, err
	}
	var missing []wire.TransactionID
	for _, id := range ids {
		if _, ok := known[id]; !ok {
			missing = append(missing, id)
		}
	}
	return missing, nil
}

// judgement is a verdict as it travels.
func judgement(j mempool.Judgement) bus.Judgement {
	out := bus.Judgement{}
	switch j.Verdict {
	case mempool.Accept:
		out.Verdict = bus.Accept
	case mempool.Ignore:
		out.Verdict = bus.Ignore
	case mempool.Reject:
		out.Verdict = bus.Reject
	}
	if j.Reason != nil {
		out.Reason = string(j.Reason.Rule)
		if j.Reason.Cause != nil {
			out.Detail = j.Reason.Cause.Error()
		}
	}
	return out
}
