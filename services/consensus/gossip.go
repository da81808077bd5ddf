package consensus

import (
	"context"
	"errors"

	"github.com/smeshery/smeshery/pkg/actor"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/services/consensus/internal/beacons"
)

// subscribe joins the queue groups of everything that a leader serves. None of the
// queues blocks: what does not fit is answered busy.
func (t *tenure) subscribe(ctx context.Context) (subs []*bus.Subscription, err error) {
	take := func(sub *bus.Subscription, e error) {
		if err = errors.Join(err, e); e == nil {
			subs = append(subs, sub)
		}
	}
	subs, err = t.serve(ctx, t.engine, t.synced.Load)
	c := t.deps.Bus
	proposals := bus.Queue{Length: t.cfg.QueueLength, Full: actor.Refuse, Workers: t.cfg.Workers}
	votes := bus.Queue{Length: t.cfg.QueueLength, Full: actor.Refuse, Workers: 2}
	// Hare's handlers wait for the one goroutine that judges.
	sessions := bus.Queue{Length: t.cfg.QueueLength, Full: actor.Refuse, Workers: 64}
	take(bus.Serve(ctx, c, bus.GossipIn(bus.TopicProposal), proposals, t.proposal))
	take(bus.Serve(ctx, c, bus.SyncIn(bus.KindProposal), proposals, func(ctx context.Context, o bus.FetchedObject) (bus.Judgement, error) {
		return t.engine.SyncedProposal(ctx, t.proposals, o)
	}))
	for _, topic := range []bus.GossipTopic{bus.TopicHare3, bus.TopicHare4} {
		take(bus.Serve(ctx, c, bus.GossipIn(topic), sessions, func(ctx context.Context, m bus.PeerMessage) (bus.Judgement, error) {
			return t.driver.Handle(ctx, topic, m)
		}))
	}
	take(bus.Serve(ctx, c, bus.GossipIn(bus.TopicCertify), votes, t.worker.Handle))
	for _, topic := range beacons.Topics() {
		take(bus.Serve(ctx, c, bus.GossipIn(topic), votes, t.book.Handle(topic)))
	}
	return subs, err
}

// proposal judges a proposal. A repeat is known and ignored.
func (t *tenure) proposal(ctx context.Context, m bus.PeerMessage) (bus.Judgement, error) {
	if !t.synced.Load() {
		return bus.Judgement{Verdict: bus.Ignore, Reason: "not_listening"}, nil
	}
	return t.engine.GossipedProposal(ctx, t.proposals, m)
}
