package gossip

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/peer"
)

// errUnjudged says that the owner gave no verdict; the message is tried again.
var errUnjudged = errors.New("no verdict yet")

// votes are topics whose messages are of no use after their round.
var votes = map[bus.GossipTopic]bool{
	bus.TopicHare3: true, bus.TopicHare4: true, bus.TopicCertify: true, bus.TopicWeakCoin: true,
	bus.TopicBeaconProposal: true, bus.TopicBeaconFirstVotes: true, bus.TopicBeaconFollowVotes: true,
}

// relay takes what the node says on a topic, until ctx ends.
func (s *Service) relay(ctx context.Context, topic bus.GossipTopic) error {
	err := bus.Consume(ctx, s.deps.Bus, bus.GossipOut(topic), bus.Consumption{
		Durable: "gossip-" + string(topic), Workers: s.cfg.Workers, MaxAhead: 16 * s.cfg.Workers, Retry: s.cfg.Retry,
	}, func(ctx context.Context, d bus.Delivery[[]byte]) error {
		return s.say(ctx, topic, d.Message, d.Attempt)
	})
	if err != nil {
		return fmt.Errorf("gossip %s: %w", topic, err)
	}
	return nil
}

// say has one message judged and published. An error brings it back.
func (s *Service) say(ctx context.Context, topic bus.GossipTopic, body []byte, attempt uint64) error {
	name := peer.MessageID(string(topic), body)
	now := s.deps.Now()
	if s.seen.has(name, now) {
		s.metrics.said(topic, "duplicate")
		return nil
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, judgeLimit)
	defer cancel()
	j, err := bus.GossipIn(topic).Call(ctx, s.deps.Bus, bus.PeerMessage{Peer: bus.SelfPeer, Body: body})
	s.metrics.judged(topic, time.Since(began))
	if err != nil || j.Verdict == bus.Unknown {
		return s.again(ctx, topic, attempt, err)
	}
	if j.Verdict == bus.Ignore && len(j.Missing) > 0 {
		return s.again(ctx, topic, attempt, fmt.Errorf("%w: %d objects are missing", errUnjudged, len(j.Missing)))
	}
	if j.Verdict != bus.Accept {
		s.deps.Log.Warn("an own message was not published", "topic", topic, "verdict", j.Verdict, "reason", j.Reason, "detail", j.Detail)
		s.metrics.said(topic, j.Verdict.String())
		return nil
	}
	if err := s.deps.Network.Publish(topic, body); err != nil {
		return s.again(ctx, topic, attempt, err)
	}
	s.seen.add(name, now)
	s.metrics.said(topic, j.Verdict.String())
	return nil
}

// judgeLimit is how long an owner may take; proofs of space are slow.
const judgeLimit = 20 * time.Second

// again says whether the message comes back.
func (s *Service) again(ctx context.Context, topic bus.GossipTopic, attempt uint64, cause error) error {
	if ctx.Err() == nil && votes[topic] && time.Duration(attempt)*s.cfg.Retry >= s.cfg.VoteLife {
		s.deps.Log.Warn("a vote was given up", "topic", topic, "attempts", attempt, "err", cause)
		s.metrics.said(topic, "given_up")
		return nil
	}
	s.metrics.said(topic, "retried")
	if cause == nil {
		cause = errUnjudged
	}
	return cause
}
