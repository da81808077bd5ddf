package intake

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/cores"
	"github.com/smeshery/smeshery/services/activation/internal/measure"
)

// Config of an Intake. Received and Stored may be nil.
type Config struct {
	Rules *atx.Rules
	Space Space
	// Own tells whether an identity is one of this node's.
	Own func(wire.NodeID) bool
	// Validity is that of an ATX whose proofs were verified as Space does.
	Validity atx.Validity
	Metrics  *measure.Metrics
	// Received, if set, knows when some ATXs came in truth: a replay's times.
	Received func(wire.ATXID) (time.Time, bool)
	// Stored is called after each commit, with what feeds have new rows.
	Stored func(atxs, malicious bool)
}

// Intake judges and stores ATXs. Handle may be called from many goroutines; what
// needs state is done for one batch at a time.
type Intake struct {
	db       *store.DB
	rules    *atx.Rules
	space    Space
	own      func(wire.NodeID) bool
	validity atx.Validity
	metrics  *measure.Metrics
	received func(wire.ATXID) (time.Time, bool)
	stored   func(atxs, malicious bool)
	memo     *memo

	turn  sync.Mutex
	poets map[wire.PoetProofRef]known[atx.PoetProof] // guarded by turn; of rows that never change
}

const (
	memoSize  = 1 << 15 // answers of verifications, twice
	poetsSize = 1 << 12
)

// New makes an Intake on the database that holds activation's schema.
func New(db *store.DB, cfg Config) *Intake {
	in := &Intake{
		db: db, rules: cfg.Rules, space: cfg.Space, own: cfg.Own, validity: cfg.Validity,
		metrics: cfg.Metrics, received: cfg.Received, stored: cfg.Stored,
		memo: newMemo(memoSize), poets: make(map[wire.PoetProofRef]known[atx.PoetProof]),
	}
	if in.stored == nil {
		in.stored = func(bool, bool) {}
	}
	return in
}

// Item is an ATX as it came.
type Item struct {
	Blob   []byte
	Source atx.Source
	// Received is when it came, before any work.
	Received time.Time
}

// entry is an item on its way.
type entry struct {
	*Item
	msg    *atx.Message
	out    atx.Outcome
	signed bool   // the signature verifies
	judged bool   // msg has been through the rules
	same   *entry // an equal item that goes first
	next   *entry // another item with this ID
}

// Handle judges ATXs, in their order but behind what they depend on, and stores
// what is good. The outcomes stand at the indices of their items. An error means
// that we failed somewhere: then no outcome is worth anything, though part of the
// batch may be stored.
func (in *Intake) Handle(ctx context.Context, items []Item, current wire.EpochID) ([]atx.Outcome, error) {
	entries := make([]entry, len(items))
	if err := in.decode(ctx, items, entries); err != nil {
		return nil, err
	}
	if err := in.verifySignatures(ctx, entries); err != nil {
		return nil, err
	}
	todo := arrange(entries, in.rules.Params.Golden)
	if err := in.handle(ctx, todo, current); err != nil {
		return nil, err
	}
	out := make([]atx.Outcome, len(entries))
	for i := range entries {
		e := &entries[i]
		for e.same != nil {
			e = e.same
		}
		out[i] = e.out
	}
	return out, nil
}

func (in *Intake) handle(ctx context.Context, todo []*entry, current wire.EpochID) error {
	in.turn.Lock()
	defer in.turn.Unlock()
	for len(todo) > 0 {
		n, err := in.segment(ctx, todo, current)
		if err != nil {
			return err
		}
		todo = todo[n:]
	}
	return nil
}

func (in *Intake) decode(ctx context.Context, items []Item, entries []entry) error {
	return cores.Spread(ctx, len(items), 32, func(from, to int) {
		for i := from; i < to; i++ {
			e := &entries[i]
			e.Item = &items[i]
			var err error
			if e.msg, err = atx.Decode(items[i].Blob, in.rules.Params.Versions); err != nil {
				e.out = atx.JudgeUndecodable(err)
			}
		}
	})
}

// verifySignatures verifies them together, a few hundred at a time.
func (in *Intake) verifySignatures(ctx context.Context, entries []entry) error {
	return cores.Spread(ctx, len(entries), signatures, func(from, to int) {
		start := time.Now()
		batch := in.rules.Verifier.NewBatch(to - from)
		some := entries[from:to]
		for i := range some {
			if some[i].msg != nil {
				some[i].msg.AddTo(batch)
			}
		}
		verdicts := batch.Verify()
		n := 0
		for i := range some {
			if some[i].msg != nil {
				some[i].signed = verdicts[n]
				some[i].msg.SetSignature(verdicts[n])
				n++
			}
		}
		in.metrics.Verified(measure.Ed25519, n, time.Since(start))
	})
}

// signatures is how many are verified in one equation.
const signatures = 128

// again makes a message that has been through the rules fresh.
func (e *entry) again(versions atx.Versions) {
	if e.judged {
		e.msg, _ = atx.Decode(e.Blob, versions) // it did before
		e.msg.SetSignature(e.signed)
	}
	e.judged = true
}

// arrange lists the entries to be judged, each behind those that it depends on.
// An entry that repeats another word for word waits for its outcome.
func arrange(entries []entry, golden wire.ATXID) []*entry {
	byID := make(map[wire.ATXID]*entry, len(entries))
	for i := range entries {
		e := &entries[i]
		if e.msg == nil {
			continue
		}
		for other := byID[e.msg.ID]; other != nil && e.same == nil; other = other.next {
			if other.Source == e.Source && bytes.Equal(other.Blob, e.Blob) {
				e.same = other
			}
		}
		if e.same == nil {
			e.next, byID[e.msg.ID] = byID[e.msg.ID], e
		}
	}
	order := make([]*entry, 0, len(entries))
	placed := make(map[*entry]bool, len(entries))
	var place func(e *entry)
	place = func(e *entry) {
		if placed[e] || e.same != nil {
			return
		}
		placed[e] = true // before its dependencies: a hostile circle ends here
		for _, id := range e.msg.Dependencies(golden).ATXs {
			for other := byID[id]; other != nil; other = other.next {
				place(other)
			}
		}
		order = append(order, e)
	}
	for i := range entries {
		if entries[i].msg != nil {
			place(&entries[i])
		}
	}
	return order
}
