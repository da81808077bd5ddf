package beacons

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/smeshery/smeshery/pkg/beacon"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/clock"
)

// Source is what the protocol reads of ATXs. Its methods may take the engine's
// lock.
type Source interface {
	// ATXs are those that target the epoch, in storage order.
	ATXs(ctx context.Context, target wire.EpochID) ([]beacon.ATX, error)
	// Nonce is the VRF nonce of the identity's ATX that targets the epoch.
	Nonce(id wire.NodeID, epoch wire.EpochID) (nonce uint64, ok bool)
}

// Deps is what a book works with; all fields are needed.
type Deps struct {
	Clock  clock.Clock
	Log    *slog.Logger
	Source Source
	// Adopt stores beacons and tells the node. It is repeated if it fails.
	Adopt func(ctx context.Context, records []beacon.Record) error
}

// Book holds the protocol. It is safe for concurrent use.
type Book struct {
	deps Deps
	// poked wakes Run.
	poked chan struct{}

	// mu guards the protocol and what follows.
	mu       sync.Mutex
	protocol *beacon.Protocol
	reader   *reader
	locals   map[wire.NodeID]bool
	unsaved  []beacon.Record
	wakeAt   time.Time

	// knowing guards known, which is what Beacon answers: nobody who asks for a
	// beacon waits for the protocol.
	knowing sync.RWMutex
	known   map[wire.EpochID]wire.Beacon
}

// New makes a book with the beacons that were stored before.
func New(params beacon.Params, keys beacon.Verifier, stored map[wire.EpochID]wire.Beacon, deps Deps) (*Book, error) {
	b := &Book{
		deps: deps, poked: make(chan struct{}, 1), locals: make(map[wire.NodeID]bool),
		known: maps.Clone(stored),
	}
	if b.known == nil {
		b.known = make(map[wire.EpochID]wire.Beacon)
	}
	b.reader = &reader{book: b, ctx: context.Background()}
	var effects beacon.Effects
	b.protocol, effects = beacon.New(deps.Clock.Now(), params, b.reader, keys)
	if len(effects.Persist) > 0 {
		return nil, fmt.Errorf("a beacon protocol that was just started wants to store %d beacons", len(effects.Persist))
	}
	b.wakeAt = effects.WakeAt
	return b, nil
}

// Beacon is the epoch's beacon, if it is known.
func (b *Book) Beacon(epoch wire.EpochID) (wire.Beacon, bool) {
	b.knowing.RLock()
	defer b.knowing.RUnlock()
	v, ok := b.known[epoch]
	return v, ok
}

// Report takes the word of a ballot that passed validation (spec 05 §18.2).
func (b *Book) Report(ctx context.Context, epoch wire.EpochID, r beacon.BallotReport) error {
	_, err := b.step(ctx, func(p *beacon.Protocol) (beacon.Effects, error) { return p.ReportBallot(epoch, r) })
	return err
}

// Fallback takes a beacon that wins over any other (spec 05 §18.4).
func (b *Book) Fallback(ctx context.Context, epoch wire.EpochID, value wire.Beacon) error {
	_, err := b.step(ctx, func(p *beacon.Protocol) (beacon.Effects, error) { return p.Fallback(epoch, value), nil })
	return err
}

// Stored tells of an ATX that was stored after the others of its epoch.
func (b *Book) Stored(target wire.EpochID, a beacon.ATX) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.protocol.StoredATX(target, a)
}

// SetSync tells whether the node is synced, and whether it takes gossip.
func (b *Book) SetSync(synced, listening bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.protocol.SetSync(synced, listening)
}

// Identities replaces the set of local identities.
func (b *Book) Identities(ids []wire.NodeID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := make(map[wire.NodeID]bool, len(ids))
	for _, id := range ids {
		now[id] = true
		if !b.locals[id] {
			b.protocol.Join(id)
		}
	}
	for id := range b.locals {
		if !now[id] {
			b.protocol.Leave(id)
		}
	}
	b.locals = now
}

// step makes one call of the protocol and stores the beacons that come of it. The
// effects are what is left to do.
func (b *Book) step(ctx context.Context, call func(*beacon.Protocol) (beacon.Effects, error)) (beacon.Effects, error) {
	b.mu.Lock()
	b.reader.ctx = ctx
	effects, err := call(b.protocol)
	b.knowing.Lock()
	for _, r := range effects.Persist {
		b.known[r.Epoch] = r.Beacon
	}
	b.knowing.Unlock()
	earlier := effects.WakeAt.Before(b.wakeAt)
	b.wakeAt = effects.WakeAt
	records := slices.Concat(b.unsaved, effects.Persist)
	b.unsaved = nil
	b.mu.Unlock()
	if earlier {
		b.wake()
	}
	if conflict, ok := errors.AsType[*beacon.ConflictError](err); ok {
		b.deps.Log.Warn("another beacon is not taken", "epoch", conflict.Epoch, "known", conflict.Known, "new", conflict.New)
		err = nil
	}
	return effects, errors.Join(err, b.adopt(ctx, records))
}

func (b *Book) adopt(ctx context.Context, records []beacon.Record) error {
	if len(records) == 0 {
		return nil
	}
	err := b.deps.Adopt(ctx, records)
	if err != nil {
		b.mu.Lock()
		b.unsaved = append(records, b.unsaved...)
		b.mu.Unlock()
	}
	return err
}

func (b *Book) wake() {
	select {
	case b.poked <- struct{}{}:
	default:
	}
}

// reader answers the protocol, which asks only inside of step.
type reader struct {
	book *Book
	ctx  context.Context // of the call of the protocol
}

// ATXs is beacon.Reader.
func (r *reader) ATXs(target wire.EpochID) ([]beacon.ATX, error) {
	return r.book.deps.Source.ATXs(r.ctx, target)
}

// Nonce is beacon.Reader.
func (r *reader) Nonce(id wire.NodeID, epoch wire.EpochID) (uint64, bool, error) {
	nonce, ok := r.book.deps.Source.Nonce(id, epoch)
	return nonce, ok, nil
}

// Beacon is beacon.Reader.
func (r *reader) Beacon(epoch wire.EpochID) (wire.Beacon, bool, error) {
	v, ok := r.book.Beacon(epoch)
	return v, ok, nil
}

// Follows tells whether an ATX that comes late for the epoch is of interest.
func (b *Book) Follows(target wire.EpochID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.protocol.Follows(target)
}
