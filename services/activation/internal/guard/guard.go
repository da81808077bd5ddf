package guard

import (
	"context"
	"embed"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/smeshery/smeshery/pkg/lease"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/cores"
	"github.com/smeshery/smeshery/services/activation/internal/measure"
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

// Terms tells under which term a lease is held, inside its trust window:
// *lease.Holder.
type Terms interface {
	Term(name string) (lease.Term, bool)
}

// Guard signs for the identities whose keys it has. It may be used from many
// goroutines.
type Guard struct {
	db      *store.DB
	terms   Terms
	prefix  []byte
	keys    atomic.Pointer[map[wire.NodeID]signing.Key] // the map never changes, is never printed
	metrics *measure.Metrics

	// step is where tests let the process die.
	step func(step) error
}

// retries is how often a transaction begins that Postgres could not order among
// others.
const retries = 5

// step is a place between two actions.
type step uint8

const (
	beforeWrite step = iota
	beforeCommit
	afterCommit
)

// New makes a guard on a schema that has activation's tables and the leases.
// prefix is the network's genesis ID.
func New(db *store.DB, terms Terms, prefix []byte, keys []signing.Key, metrics *measure.Metrics) *Guard {
	g := &Guard{
		db: db, terms: terms, prefix: prefix, metrics: metrics,
		step: func(step) error { return nil },
	}
	g.keys.Store(&map[wire.NodeID]signing.Key{})
	g.Add(keys...)
	for _, k := range signing.Kinds() {
		rule, _ := signing.RuleOf(k)
		for _, o := range []Outcome{Signed, Refused, NotOurs} {
			metrics.Signing.WithLabelValues(rule.Name, o.String()) // the first refusal is to be seen as a rise from 0
		}
	}
	return g
}

// Add gives the guard more keys.
func (g *Guard) Add(keys ...signing.Key) {
	for {
		old := g.keys.Load()
		all := maps.Clone(*old)
		for _, k := range keys {
			all[k.NodeID()] = k
		}
		if g.keys.CompareAndSwap(old, &all) {
			return
		}
	}
}

// LeaseName is the lease that owns an identity.
func LeaseName(id wire.NodeID) string { return "identity/" + id.String() }

// Own tells whether the guard has the identity's key, held or not.
func (g *Guard) Own(id wire.NodeID) bool { _, ok := (*g.keys.Load())[id]; return ok }

// All lists the identities whose keys are here, in no order.
func (g *Guard) All() []wire.NodeID { return slices.Collect(maps.Keys(*g.keys.Load())) }

// Held lists the identities that may sign now.
func (g *Guard) Held() []wire.NodeID {
	keys := *g.keys.Load()
	held := make([]wire.NodeID, 0, len(keys))
	for id := range keys {
		if _, ok := g.terms.Term(LeaseName(id)); ok {
			held = append(held, id)
		}
	}
	return held
}

// Item asks for one signature.
type Item struct {
	NodeID  wire.NodeID
	Request signing.Request
}

// Outcome is the fate of an item. The zero Outcome says that we failed.
type Outcome uint8

// Outcomes.
const (
	Unknown Outcome = iota
	Signed
	// Refused: the slot holds other bytes or is in quarantine, or no rule
	// says what slot the request takes.
	Refused
	// NotOurs: the key is not here, or the identity is not held now.
	NotOurs
)

func (o Outcome) String() string {
	return [...]string{"unknown", "signed", "refused", "not_ours"}[min(o, NotOurs)]
}

// Verdict is what became of an item.
type Verdict struct {
	Outcome   Outcome
	Reason    string
	Signature wire.EdSignature
}

// Reasons.
const (
	ReasonNoKey      = "the key is not here"
	ReasonNoLease    = "the identity is not held"
	ReasonStaleTerm  = "the lease has a newer term"
	ReasonConflict   = "the slot holds other bytes"
	ReasonQuarantine = "the slot is in quarantine, or the identity has moved"
	ReasonNoRule     = "no rule for the slot"
)

// Sign gives a verdict for each item, in their order. With an error nothing is
// signed. A repeat is harmless.
func (g *Guard) Sign(ctx context.Context, items []Item) ([]Verdict, error) {
	start := time.Now()
	verdicts := make([]Verdict, len(items))
	claims := g.claims(items, verdicts)
	var err error
	for range retries {
		if err = g.transact(ctx, claims, verdicts); !store.Retryable(err) || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("guard %d signatures: %w", len(items), err)
	}
	g.metrics.GuardRun.Observe(time.Since(start).Seconds())
	if err := g.step(afterCommit); err != nil {
		return nil, err
	}
	g.sign(items, claims, verdicts)
	for i := range items {
		rule, _ := signing.RuleOf(items[i].Request.Slot().Kind)
		g.metrics.Signing.WithLabelValues(rule.Name, verdicts[i].Outcome.String()).Inc()
	}
	return verdicts, nil
}

// claim is an item on its way to a row. term is 0 where it stays without.
type claim struct {
	id   wire.NodeID
	slot signing.Slot
	hash wire.Hash32
	term lease.Term
}

// claims looks at what needs no database.
func (g *Guard) claims(items []Item, verdicts []Verdict) []claim {
	claims := make([]claim, len(items))
	terms := make(map[wire.NodeID]lease.Term)
	for i, it := range items {
		c := &claims[i]
		c.id, c.slot = it.NodeID, it.Request.Slot()
		if !g.Own(c.id) {
			verdicts[i] = Verdict{Outcome: NotOurs, Reason: ReasonNoKey}
			continue
		}
		var err error
		if c.hash, err = signing.SigningHash(g.prefix, it.Request); err != nil {
			verdicts[i] = Verdict{Outcome: Refused, Reason: ReasonNoRule}
			continue
		}
		term, ok := terms[c.id]
		if !ok {
			term, _ = g.terms.Term(LeaseName(c.id))
			terms[c.id] = term
		}
		if c.term = term; term == 0 {
			verdicts[i] = Verdict{Outcome: NotOurs, Reason: ReasonNoLease}
		}
	}
	return claims
}

// sign computes what was granted, on all cores. It looks at the trust window
// once more: what was signed may be published at once.
func (g *Guard) sign(items []Item, claims []claim, verdicts []Verdict) {
	_ = cores.Spread(context.Background(), len(items), 64, func(from, to int) {
		for i := from; i < to; i++ {
			g.signOne(&items[i], &claims[i], &verdicts[i])
		}
	})
}

func (g *Guard) signOne(it *Item, c *claim, v *Verdict) {
	if v.Outcome != Signed {
		return
	}
	if term, ok := g.terms.Term(LeaseName(c.id)); !ok || term != c.term {
		*v = Verdict{Outcome: NotOurs, Reason: ReasonNoLease}
		return
	}
	sig, err := (*g.keys.Load())[c.id].Sign(g.prefix, it.Request)
	if err != nil {
		*v = Verdict{Outcome: Refused, Reason: ReasonNoRule}
		return
	}
	v.Signature = sig
}

// Prove makes a VRF proof for an identity that is held. It needs no slot: key
// and message determine it.
func (g *Guard) Prove(id wire.NodeID, message []byte) (wire.VrfSignature, bool) {
	k, ok := (*g.keys.Load())[id]
	if !ok {
		return wire.VrfSignature{}, false
	}
	if _, held := g.terms.Term(LeaseName(id)); !held {
		return wire.VrfSignature{}, false
	}
	return vrf.Prove(k.Seed(), message), true
}

// Keys is how many identities' keys are here.
func (g *Guard) Keys() int { return len(*g.keys.Load()) }
