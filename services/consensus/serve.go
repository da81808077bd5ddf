package consensus

import (
	"context"
	"errors"
	"hash/maphash"
	"runtime"

	"github.com/smeshery/smeshery/pkg/actor"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/engine"
)

func workersPerCore() int { return runtime.GOMAXPROCS(0) }

// hashSeed differs in every process, so that nobody can aim at its hash tables.
func hashSeed() uint64 { return maphash.Bytes(maphash.MakeSeed(), []byte("atx index")) }

// serve joins the queue groups of what syncing needs. What it answers is in force
// even where it answers an error.
func (s *Service) serve(ctx context.Context, e *engine.Engine, synced func() bool) (subs []*bus.Subscription, err error) {
	take := func(sub *bus.Subscription, e error) {
		if err = errors.Join(err, e); e == nil {
			subs = append(subs, sub)
		}
	}
	objects := bus.Queue{Length: s.cfg.QueueLength, Full: actor.Refuse, Workers: s.cfg.Workers}
	single := bus.Queue{Length: 64, Full: actor.Refuse, Workers: 1}
	sets := bus.Queue{Length: 256, Full: actor.Refuse, Workers: 1, Batch: 64}
	c := s.deps.Bus
	take(bus.Serve(ctx, c, bus.SyncIn(bus.KindBallot), objects, s.ballot(e)))
	take(bus.ServeBatch(ctx, c, bus.SyncIn(bus.KindActiveSet), sets, activeSets(e)))
	take(bus.Serve(ctx, c, bus.TellLayer(), single, e.Tell))
	take(bus.Serve(ctx, c, bus.ProcessLayer(), single, func(ctx context.Context, r bus.ProcessRequest) (bus.ProcessReply, error) {
		return e.Process(ctx, r.Layer)
	}))
	take(bus.Serve(ctx, c, bus.ConsensusStatus(), single, func(context.Context, bus.None) (bus.ConsensusReply, error) {
		st := e.Status()
		return bus.ConsensusReply{Current: st.Current, Processed: st.Processed, Verified: st.Verified, Synced: synced()}, nil
	}))
	return subs, err
}

// ballot judges one fetched ballot. A repeat is harmless: a known ballot is accepted.
func (s *Service) ballot(e *engine.Engine) bus.Handler[bus.FetchedObject, bus.Judgement] {
	return func(ctx context.Context, o bus.FetchedObject) (bus.Judgement, error) {
		defer s.costs.Ballots.Inc()
		id := wire.BallotID(o.Hash[:20])
		if o.Hash != wire.Pad32(id) {
			return bus.Judgement{Verdict: bus.Reject, Reason: "wrong_id", Detail: "a ballot's hash ends in zeros"}, nil
		}
		return e.SyncedBallot(ctx, o.Body, id)
	}
}

// activeSets judges a batch of fetched sets. A repeat is harmless: a known set stays.
func activeSets(e *engine.Engine) bus.BatchHandler[bus.FetchedObject, bus.Judgement] {
	return func(ctx context.Context, calls []*bus.Call[bus.FetchedObject, bus.Judgement]) {
		objects := make([]bus.FetchedObject, len(calls))
		for i, call := range calls {
			objects[i] = call.Request
		}
		judgements, err := e.ActiveSets(ctx, objects)
		for i, call := range calls {
			if err != nil {
				call.Fail(err)
				continue
			}
			call.Reply(judgements[i])
		}
	}
}
