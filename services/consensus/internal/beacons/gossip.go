package beacons

import (
	"context"

	"github.com/smeshery/smeshery/pkg/beacon"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/rule"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Topics are those that Handle judges.
func Topics() []bus.GossipTopic {
	return []bus.GossipTopic{
		bus.TopicBeaconProposal, bus.TopicBeaconFirstVotes, bus.TopicBeaconFollowVotes, bus.TopicWeakCoin,
	}
}

// Handle judges messages of a topic. A repeat is ignored, as the protocol has it;
// own messages were judged before they were published.
func (b *Book) Handle(topic bus.GossipTopic) bus.Handler[bus.PeerMessage, bus.Judgement] {
	name := ""
	for of, gossip := range topics {
		if gossip == topic {
			name = of
		}
	}
	return func(ctx context.Context, m bus.PeerMessage) (bus.Judgement, error) {
		if m.Peer == bus.SelfPeer {
			return bus.Judgement{Verdict: bus.Accept}, nil
		}
		now := b.deps.Clock.Now()
		var outcome beacon.Outcome
		_, err := b.step(ctx, func(p *beacon.Protocol) (effects beacon.Effects, _ error) {
			outcome, effects = p.Handle(now, name, m.Body)
			return effects, nil
		})
		if err != nil {
			b.deps.Log.Warn("a beacon is not stored yet", "err", err)
		}
		return judgement(outcome)
	}
}

func judgement(o beacon.Outcome) (bus.Judgement, error) {
	j := bus.Judgement{}
	switch o.Verdict {
	case beacon.Accept:
		return bus.Judgement{Verdict: bus.Accept}, nil
	case beacon.Ignore:
		j.Verdict = bus.Ignore
	case beacon.Reject:
		j.Verdict = bus.Reject
	default:
		return j, o.Err
	}
	j.Reason = string(rule.Of[beacon.Rule](o.Err))
	j.Detail = o.Err.Error()
	return j, nil
}

// Fallbacks fills the beacons that no protocol makes: those of the first epoch
// with ballots, and in a network of this node alone those of an epoch that begins
// without one, since the node was down while it should have been made (spec 05
// §18.6). It does nothing for epochs whose beacon is known.
func (b *Book) Fallbacks(ctx context.Context, genesis wire.Hash20, first, current wire.EpochID) error {
	for _, epoch := range []wire.EpochID{first, current} {
		if _, known := b.Beacon(epoch); known || epoch < first {
			continue
		}
		value := wire.Beacon(genesis[:4])
		if epoch != first {
			var number [4]byte
			for i := range number {
				number[i] = byte(epoch >> (8 * i))
			}
			sum := wire.Sum(genesis[:], number[:])
			value = wire.Beacon(sum[:4])
			b.deps.Log.Warn("nobody made a beacon while this node was down; the standalone network takes a derived one", "epoch", epoch)
		}
		if err := b.Fallback(ctx, epoch, value); err != nil {
			return err
		}
	}
	return nil
}
