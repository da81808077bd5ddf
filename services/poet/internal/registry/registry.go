package registry

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/poet/rest"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/services/poet/internal/db"
)

// Config of a front end.
type Config struct {
	Schedule poet.Schedule
	Info     rest.Info
	// Certifier gives the keys that count now; nil if certificates are not looked at.
	Certifier func() *rest.TrustedKeys
	// PowDifficulty is the number of leading zero bits.
	PowDifficulty uint32
	// PowChallenge counts until the first proof.
	PowChallenge []byte
	// MaxMembers bounds a round; several front ends keep it approximately.
	MaxMembers uint64
	// MaxBatch bounds what is written together.
	MaxBatch int
}

// Registry is a front end.
type Registry struct {
	cfg Config
	db  *store.DB
	now func() time.Time
	in  chan *entry

	mu      sync.Mutex
	round   uint32 // the lowest one that may be open
	members uint64
	counted uint32 // the round that members belongs to, plus one
	pow     rest.PowRotation
	proofs  map[uint32]*rest.Proof
}

type entry struct {
	poet.Registration
	round uint32
	done  chan error
}

// New makes a front end; Run must be called to register anything.
func New(cfg Config, database *store.DB, now func() time.Time) *Registry {
	if cfg.MaxBatch <= 0 {
		cfg.MaxBatch = 1000
	}
	return &Registry{
		cfg: cfg, db: database, now: now, in: make(chan *entry, 4*cfg.MaxBatch),
		pow:    rest.PowRotation{Current: poet.PowParams{Challenge: cfg.PowChallenge, Difficulty: cfg.PowDifficulty}},
		proofs: make(map[uint32]*rest.Proof),
	}
}

// Run writes registrations until ctx ends.
func (r *Registry) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case first := <-r.in:
			r.write(ctx, r.more(first))
		}
	}
}

// more takes what waits as well, as far as it is for the same round.
func (r *Registry) more(first *entry) []*entry {
	batch := []*entry{first}
	for len(batch) < r.cfg.MaxBatch {
		select {
		case next := <-r.in:
			if next.round != first.round {
				next.done <- db.ErrClosed // it asks again
				continue
			}
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

func (r *Registry) write(ctx context.Context, batch []*entry) {
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	round := batch[0].round
	held, fresh, err := db.Register(ctx, r.db, round, store.Column(batch, func(e **entry) poet.Registration { return (*e).Registration }))
	if errors.Is(err, db.ErrClosed) {
		err = r.reopen(ctx, round)
	}
	for i, e := range batch {
		switch {
		case err != nil:
			e.done <- err
		case !held[i]:
			e.done <- &rest.Status{Code: rest.CodeAlreadyExists, Message: "conflicting registration"}
		default:
			e.done <- nil
		}
	}
	if err == nil {
		r.mu.Lock()
		r.members += uint64(fresh)
		r.mu.Unlock()
	}
}

const writeLimit = 20 * time.Second

// reopen finds out why a round took nothing: it is not there yet, or it is closed.
// The answer is db.ErrClosed either way, and the requests are judged again.
func (r *Registry) reopen(ctx context.Context, round uint32) error {
	newest, closed, ok, err := db.Newest(ctx, r.db)
	if err != nil {
		return err
	}
	if !ok || newest < round {
		if err := db.Open(ctx, r.db, round); err != nil {
			return err
		}
		return db.ErrClosed
	}
	if newest > round || closed {
		r.mu.Lock()
		r.round = max(r.round, round+1)
		r.mu.Unlock()
	}
	return db.ErrClosed
}

// Open is the round that takes registrations at an instant.
func (r *Registry) Open(now time.Time) uint32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return max(r.round, r.cfg.Schedule.OpenRound(now))
}

// register waits until a registration lasts.
func (r *Registry) register(ctx context.Context, round uint32, reg poet.Registration) error {
	if err := r.room(ctx, round); err != nil {
		return err
	}
	e := &entry{Registration: reg, round: round, done: make(chan error, 1)}
	select {
	case r.in <- e:
	default:
		return &rest.Status{Code: rest.CodeResourceExhausted, Message: "too many registrations wait"}
	}
	select {
	case err := <-e.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// room refuses when the round is full (spec 03 §8.2 check 6).
func (r *Registry) room(ctx context.Context, round uint32) error {
	r.mu.Lock()
	known := r.counted == round+1
	r.mu.Unlock()
	if !known {
		n, err := db.Members(ctx, r.db, round)
		if err != nil {
			return err
		}
		r.mu.Lock()
		r.members, r.counted = n, round+1
		r.mu.Unlock()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.members+uint64(len(r.in)) >= r.cfg.MaxMembers {
		return &rest.Status{Code: rest.CodeResourceExhausted, Message: "maximum number of round members reached"}
	}
	return nil
}

// Members is how many registrations the open round has, as far as is known here.
func (r *Registry) Members() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.members
}

// published reads a finished round; proofs never change.
func (r *Registry) published(ctx context.Context, round uint32) (*rest.Proof, bool, error) {
	r.mu.Lock()
	proof := r.proofs[round]
	r.mu.Unlock()
	if proof != nil {
		return proof, true, nil
	}
	record, ok, err := db.Proof(ctx, r.db, round)
	if !ok || err != nil {
		return nil, false, err
	}
	proof = &rest.Proof{Proof: record.Proof, Members: record.Members, Pubkey: record.ServicePubkey}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.proofs) >= keptProofs {
		clear(r.proofs)
	}
	r.proofs[round] = proof
	return proof, true, nil
}

// keptProofs bounds the proofs in memory; everybody asks for the newest.
const keptProofs = 3

// Refresh reads which proof-of-work parameters count (spec 03 §8.3).
func (r *Registry) Refresh(ctx context.Context) error {
	roots, err := db.Roots(ctx, r.db)
	if err != nil {
		return fmt.Errorf("proof-of-work parameters: %w", err)
	}
	pow := rest.PowRotation{Current: poet.PowParams{Challenge: r.cfg.PowChallenge, Difficulty: r.cfg.PowDifficulty}}
	for i := len(roots) - 1; i >= 0; i-- {
		pow = pow.After(roots[i])
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pow = pow
	return nil
}

// Handle answers one request.
func (r *Registry) Handle(ctx context.Context, request rest.Request) rest.Response {
	var answer rest.Response
	for range 3 {
		now := r.now()
		round := r.Open(now)
		rounds := &attempt{ctx: ctx, registry: r, round: round}
		r.mu.Lock()
		server := rest.Server{
			Info: r.cfg.Info, Schedule: r.cfg.Schedule, Rounds: rounds,
			Gate: rest.Gate{Certifier: r.cfg.Certifier(), Pow: r.pow},
		}
		r.mu.Unlock()
		if answer = server.Handle(request, round, now); !rounds.closed {
			break
		}
	}
	return answer
}

// attempt is one request's view of the rounds (rest.Rounds).
type attempt struct {
	ctx      context.Context //nolint:containedctx // the interface is a pure package's
	registry *Registry
	round    uint32
	closed   bool
}

// Register is rest.Rounds.
func (a *attempt) Register(reg poet.Registration) error {
	err := a.registry.register(a.ctx, a.round, reg)
	a.closed = errors.Is(err, db.ErrClosed)
	return err
}

// Published is rest.Rounds.
func (a *attempt) Published(round uint32) (*rest.Proof, bool, error) {
	return a.registry.published(a.ctx, round)
}
