package state

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/smeshery/smeshery/pkg/actor"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/lease"
	"github.com/smeshery/smeshery/pkg/vm/executor"
	"github.com/smeshery/smeshery/pkg/wire"

	"github.com/smeshery/smeshery/services/state/internal/db"
	"github.com/smeshery/smeshery/services/state/internal/intake"
	"github.com/smeshery/smeshery/services/state/internal/ledger"
)

// Queues of the service. None blocks: what does not fit is answered busy.
var (
	gossipQueue  = bus.Queue{Length: 16_384, Full: actor.Refuse, Batch: 512}
	fetchQueue   = bus.Queue{Length: 16_384, Full: actor.Refuse, Batch: 512}
	submitQueue  = bus.Queue{Length: 16_384, Full: actor.Refuse, Bytes: 64 << 20, Batch: 512}
	blockQueue   = bus.Queue{Length: 256, Full: actor.Refuse, Bytes: 256 << 20, Workers: 2}
	executeQueue = bus.Queue{Length: 16, Full: actor.Refuse}
	linkQueue    = bus.Queue{Length: 4096, Full: actor.Refuse, Workers: 2}
	selectQueue  = bus.Queue{Length: 4096, Full: actor.Refuse, Workers: 2}
	projectQueue = bus.Queue{Length: 1024, Full: actor.Refuse, Workers: 2}
)

// serve recovers what the memory of a new tenure needs, and answers requests
// until ctx ends or the lease is lost.
func (s *Service) serve(ctx context.Context, term lease.Term) error {
	s.become("recovering")
	if err := s.ledger.Open(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	// Handlers outlive ctx: what was taken from a queue is answered.
	work, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	subs, err := s.subscribe(work)
	if err != nil {
		drain(subs, 0)
		return err
	}
	var background sync.WaitGroup
	relaying, endRelay := context.WithCancel(work)
	background.Go(func() { _ = s.relay.Run(relaying) })
	background.Go(func() { s.repair(relaying) })
	s.status.Store(nil)
	s.log.Info("serving", "layer", s.ledger.Tip().ID, "term", term)
	s.hold(ctx, term)
	s.become("draining")
	drain(subs, s.cfg.Drain)
	endRelay()
	background.Wait()
	flush, cancel := context.WithTimeout(work, 5*time.Second)
	defer cancel()
	if _, err := s.relay.Flush(flush); err != nil {
		s.log.Warn("outbox is left for the next process", "err", err)
	}
	return nil
}

// hold waits until ctx ends or the tenure does.
func (s *Service) hold(ctx context.Context, term lease.Term) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.changed:
			// Outside of its trust window the tenure may still be renewed, and
			// what is written then is fenced; only another term ends it.
			if now, ok := s.lease.Term(writer); !ok || now != term {
				return
			}
		}
	}
}

// drain leaves all queue groups and waits for what was taken.
func drain(subs []*bus.Subscription, patience time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var all sync.WaitGroup
	for _, sub := range subs {
		all.Go(func() { sub.Drain(ctx) })
	}
	all.Wait()
}

func (s *Service) repair(ctx context.Context) {
	tick := time.NewTicker(s.cfg.Repair)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := s.pool.Repair(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("mempool is not read again yet", "err", err)
			}
		}
	}
}

func (s *Service) subscribe(ctx context.Context) (subs []*bus.Subscription, err error) {
	c := s.deps.Bus
	take := func(sub *bus.Subscription, e error) {
		if err = errors.Join(err, e); e == nil {
			subs = append(subs, sub)
		}
	}
	cores := s.cfg.Cores
	if cores <= 0 {
		cores = runtime.GOMAXPROCS(0)
	}
	gossip, fetch, submit := gossipQueue, fetchQueue, submitQueue
	gossip.Workers, fetch.Workers, submit.Workers = cores, cores, cores
	take(bus.ServeBatch(ctx, c, bus.GossipIn(bus.TopicTransaction), gossip, s.gossiped))
	take(bus.ServeBatch(ctx, c, bus.SyncIn(bus.KindTransaction), fetch, s.fetched))
	take(bus.ServeBatch(ctx, c, bus.SubmitTransaction(), submit, s.submitted))
	take(bus.Serve(ctx, c, bus.SyncIn(bus.KindBlock), blockQueue, s.block))
	take(bus.Serve(ctx, c, bus.Execute(), executeQueue, s.execute))
	take(bus.Serve(ctx, c, bus.ExecuteOptimistic(), executeQueue, s.executeOptimistic))
	take(bus.Serve(ctx, c, bus.LinkProposal(), linkQueue, s.link))
	take(bus.Serve(ctx, c, bus.Revert(), executeQueue, s.revert))
	take(bus.Serve(ctx, c, bus.Select(), selectQueue, s.choose))
	take(bus.Serve(ctx, c, bus.Projected(), projectQueue, s.project))
	return subs, err
}

// gossiped judges transactions from the network. A repeat is a duplicate, which
// is ignored.
func (s *Service) gossiped(ctx context.Context, calls []*bus.Call[bus.PeerMessage, bus.Judgement]) {
	judgeAll(ctx, s, intake.Gossip, calls, func(m *bus.PeerMessage) intake.Incoming { return intake.Incoming{Raw: m.Body} })
}

// submitted judges, stores and publishes transactions of clients. A repeat is
// accepted again and not published again.
func (s *Service) submitted(ctx context.Context, calls []*bus.Call[bus.PeerMessage, bus.Judgement]) {
	judgeAll(ctx, s, intake.Submitted, calls, func(m *bus.PeerMessage) intake.Incoming { return intake.Incoming{Raw: m.Body} })
}

// fetched judges transactions that proposals or blocks list. A repeat is accepted.
func (s *Service) fetched(ctx context.Context, calls []*bus.Call[bus.FetchedObject, bus.Judgement]) {
	judgeAll(ctx, s, intake.Fetched, calls, func(o *bus.FetchedObject) intake.Incoming {
		return intake.Incoming{Raw: o.Body, Expected: wire.TransactionID(o.Hash)}
	})
}

func judgeAll[Req any](ctx context.Context, s *Service, origin intake.Origin, calls []*bus.Call[Req, bus.Judgement], of func(*Req) intake.Incoming) {
	in := make([]intake.Incoming, len(calls))
	for i, call := range calls {
		in[i] = of(&call.Request)
	}
	verdicts, errs := s.txs.Judge(ctx, origin, in)
	for i, call := range calls {
		if errs[i] != nil {
			call.Fail(errs[i])
			continue
		}
		s.metrics.judge(bus.KindTransaction, verdicts[i])
		call.Reply(verdicts[i])
	}
}

// block judges and stores a fetched block, or one that consensus made. A repeat
// is accepted.
func (s *Service) block(ctx context.Context, o bus.FetchedObject) (bus.Judgement, error) {
	j, err := s.blocks.Judge(ctx, wire.BlockID(o.Hash[:len(wire.BlockID{})]), o.Body)
	if err == nil {
		s.metrics.judge(bus.KindBlock, j)
	}
	return j, err
}

// execute applies a layer. A repeat answers from its row.
func (s *Service) execute(ctx context.Context, r bus.ExecuteRequest) (bus.ExecuteReply, error) {
	before := s.ledger.Tip().ID
	done, err := s.ledger.Execute(ctx, r.Layer, r.Block)
	if err != nil {
		return bus.ExecuteReply{}, reply(err)
	}
	s.applied(before, &done)
	return bus.ExecuteReply{StateRoot: done.StateRoot(), Executed: done.Executed, Ineffective: done.Ineffective}, nil
}

// executeOptimistic applies a layer and makes its block. A repeat answers the block.
func (s *Service) executeOptimistic(ctx context.Context, r bus.OptimisticRequest) (bus.OptimisticReply, error) {
	before := s.ledger.Tip().ID
	done, block, err := s.ledger.ExecuteOptimistic(ctx, r.Block)
	if err != nil {
		return bus.OptimisticReply{}, reply(err)
	}
	s.applied(before, &done)
	s.hintBlocks()
	return bus.OptimisticReply{ID: block.ID(), Body: codec.MustEncode(block), StateRoot: done.StateRoot()}, nil
}

// link marks a proposal's transactions as on their way into a block, so that
// proposals of other layers leave them alone. A repeat changes nothing.
func (s *Service) link(ctx context.Context, r bus.ProposedTransactions) (bus.SelectReply, error) {
	missing, err := s.txs.Missing(ctx, r.Transactions)
	if err != nil {
		return bus.SelectReply{}, err
	}
	s.pool.Link(r.Layer, wire.BlockID{}, r.Transactions)
	return bus.SelectReply{Transactions: missing}, nil
}

// applied counts what a layer did, unless it was applied before.
func (s *Service) applied(before wire.LayerID, done *db.Layer) {
	if done.ID > before {
		s.metrics.txs.WithLabelValues("executed").Add(float64(done.Executed))
		s.metrics.txs.WithLabelValues("ineffective").Add(float64(done.Ineffective))
	}
	s.relay.Wake()
}

// revert undoes layers. A repeat finds nothing to undo.
func (s *Service) revert(ctx context.Context, r bus.RevertRequest) (bus.RevertReply, error) {
	tip, err := s.ledger.Revert(ctx, r.To)
	if err != nil {
		return bus.RevertReply{}, reply(err)
	}
	s.metrics.reverts.Inc()
	s.relay.Wake()
	return bus.RevertReply{StateRoot: tip.StateRoot()}, nil
}

// choose picks transactions for a proposal; it changes nothing.
func (s *Service) choose(_ context.Context, r bus.SelectRequest) (bus.SelectReply, error) {
	return bus.SelectReply{Transactions: s.pool.Select(r.Layer, int(r.Count), r.Seed)}, nil
}

// project tells what accounts hold after everything that waits; it changes nothing.
func (s *Service) project(ctx context.Context, r bus.ProjectedRequest) (out bus.ProjectedReply, err error) {
	accounts, err := s.ledger.Accounts(ctx, r.Addresses)
	if err != nil {
		return out, err
	}
	out.Projections = make([]bus.Projection, len(r.Addresses))
	for i, a := range r.Addresses {
		p := &out.Projections[i]
		if p.Nonce, p.Balance, err = s.pool.Projection(a, accounts); err != nil {
			return out, err
		}
	}
	return out, nil
}

// reply is how the ledger's errors travel.
func reply(err error) error {
	var missing *executor.Missing
	switch {
	case errors.As(err, &missing), errors.Is(err, ledger.ErrBlock):
		return bus.Errorf(bus.NotFound, "%v", err)
	case errors.Is(err, ledger.ErrOther), errors.Is(err, ledger.ErrGap), errors.Is(err, ledger.ErrGenesis):
		return bus.Errorf(bus.Conflict, "%v", err)
	case errors.Is(err, ledger.ErrBlockLayer):
		return bus.Errorf(bus.BadRequest, "%v", err)
	case errors.Is(err, errNoLease):
		return bus.Errorf(bus.Stopping, "%v", err)
	}
	return err
}
