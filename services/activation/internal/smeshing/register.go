package smeshing

import (
	"context"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/signing"
	read "github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/guard"
	"github.com/smeshery/smeshery/services/activation/internal/poets"
)

// register takes places in the rounds of PoETs, side by side, until the rounds
// begin (spec 04 §5.8). It returns where it succeeded.
func (l *life) register(ctx context.Context, c *challenge, hash wire.Hash32, step *atx.Step) ([]registration, error) {
	l.show(ctx, read.StepRegister, c.Publish, step.Abort)
	signature, err := l.sign(ctx, signing.SignPoet{Challenge: hash})
	if err != nil {
		return nil, err
	}
	request := &poets.Registration{
		Node: l.id, Challenge: hash, Prefix: l.prefix[:], Signature: signature, Deadline: step.Deadline, Show: l.certifiable,
	}
	trying, cancel := l.deps.Alarm.Until(ctx, step.Abort)
	defer cancel()
	var mu sync.Mutex
	var group sync.WaitGroup
	var done []registration
	var failed error
	for _, name := range step.Register {
		group.Go(func() {
			r, err := l.registerAt(ctx, trying, name, c, request)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				done = append(done, r)
			case r.Poet != "": // accepted there, but not stored here
				failed = err
			default:
				l.log.Warn("not registered", "poet", name, "err", err)
			}
		})
	}
	group.Wait()
	return done, failed
}

func (l *life) registerAt(ctx, trying context.Context, name string, c *challenge, request *poets.Registration) (registration, error) {
	got, err := l.deps.PoETs.Server(name).Register(trying, request)
	l.metrics.asked(atRegister, err)
	if err != nil {
		return registration{}, err
	}
	r := registration{Poet: name, Round: got.Round, Challenge: request.Challenge, End: got.End}
	return r, l.tx(ctx, "registration", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO registrations (node_id, poet, challenge, round, round_end) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (node_id, poet) DO UPDATE SET challenge = excluded.challenge, round = excluded.round, round_end = excluded.round_end`,
			l.id[:], r.Poet, r.Challenge[:], r.Round, r.End.UnixNano())
		if err != nil {
			return err
		}
		return l.tell(ctx, tx, fmt.Sprintf("%d/%s", c.Publish, name), &events.PoetRegistered{Node: l.id, URL: name, Round: r.Round})
	})
}

// sign has the guard sign. What it refuses is refused for good.
func (l *life) sign(ctx context.Context, r signing.Request) (wire.EdSignature, error) {
	v, err := l.signing.do(ctx, guard.Item{NodeID: l.id, Request: r})
	if err != nil {
		return wire.EdSignature{}, err
	}
	switch v.Outcome {
	case guard.Signed:
		return v.Signature, nil
	case guard.NotOurs:
		return wire.EdSignature{}, fmt.Errorf("%w: %s", errLost, v.Reason)
	default:
		return wire.EdSignature{}, fmt.Errorf("%w: %v: %s", errPermanent, r.Slot(), v.Reason)
	}
}

// fetch waits for the rounds to end and chooses among the proofs that can be
// had (spec 04 §5.9).
func (l *life) fetch(ctx context.Context, c *challenge, hash wire.Hash32, registered []registration) error {
	ends := l.calendar.RoundEnds(c.Publish)
	l.show(ctx, read.StepWaitPoet, c.Publish, ends)
	l.say(ctx, fmt.Sprint(c.Publish), &events.PoetWaitProof{
		Node: l.id, Publish: c.Publish, Target: c.Publish + 1, Wait: max(0, ends.Sub(l.now())), Until: ends,
	})
	var mu sync.Mutex
	var group sync.WaitGroup
	var list []atx.FetchedProof
	rounds := make(map[string]*poets.Round)
	places := make(map[string]registration)
	for _, r := range registered {
		server := l.deps.PoETs.Server(r.Poet)
		if server == nil || r.Challenge != hash {
			continue
		}
		group.Go(func() {
			round, err := l.await(ctx, server, &r, c.Publish)
			if err != nil {
				if ctx.Err() == nil {
					l.log.Warn("no proof", "poet", r.Poet, "round", r.Round, "err", err)
				}
				return
			}
			mu.Lock()
			defer mu.Unlock()
			list = append(list, atx.FetchedProof{Poet: r.Poet, Leaves: round.Leaves})
			rounds[r.Poet], places[r.Poet] = round, r
		})
	}
	group.Wait()
	best, err := atx.BestProof(list)
	if err != nil {
		return err
	}
	return l.choose(ctx, c, hash, places[best.Poet], rounds[best.Poet])
}

// await returns a round that has ended and holds the challenge.
func (l *life) await(ctx context.Context, server *poets.Server, r *registration, publish wire.EpochID) (*poets.Round, error) {
	end := r.End
	if end.After(l.calendar.ProofDeadline(publish)) {
		end = l.calendar.RoundEnds(publish) // what the PoET says makes no sense
	}
	if err := l.deps.Alarm.Sleep(ctx, end.Add(poets.Jitter(l.calendar.ProofJitter()))); err != nil {
		return nil, err
	}
	round, err := server.Proof(ctx, r.Round)
	l.metrics.asked(atProof, err)
	if err != nil {
		return nil, err
	}
	if _, ok := round.Membership(r.Challenge); !ok {
		return nil, fmt.Errorf("round %q does not hold the challenge", r.Round)
	}
	return round, nil
}

func (l *life) choose(ctx context.Context, c *challenge, hash wire.Hash32, at registration, round *poets.Round) error {
	membership, ok := round.Membership(hash)
	if !ok {
		return atx.ErrPoetUnstable
	}
	nodes := make([]byte, 0, 32*len(membership.Nodes))
	for i := range membership.Nodes {
		nodes = append(nodes, membership.Nodes[i][:]...)
	}
	err := l.tx(ctx, "poet proof", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE challenges SET poet_ref = $2, poet = $3, member_nodes = $4, member_index = $5 WHERE node_id = $1`,
			l.id[:], round.Ref[:], at.Poet, nodes, int64(membership.LeafIndex))
		if err != nil {
			return err
		}
		return l.tell(ctx, tx, fmt.Sprint(c.Publish), &events.PoetBestProof{
			Node: l.id, URL: at.Poet, Round: at.Round, Ticks: round.Leaves / l.cfg.Network.TickSize,
		})
	})
	if err == nil {
		c.Ref, c.Membership = &round.Ref, membership
	}
	return err
}
