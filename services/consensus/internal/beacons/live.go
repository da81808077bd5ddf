package beacons

import (
	"context"
	"encoding/hex"
	"errors"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/smeshery/smeshery/pkg/beacon"
	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
)

// signTimeout bounds how long signatures are waited for: a phase takes longer on
// every network, and what comes after it is dropped anyway.
const signTimeout = 10 * time.Second

// Signer signs for local identities: *signer.Signer.
type Signer interface {
	Sign(ctx context.Context, items []bus.SignItem) []bus.SignResult
	Prove(ctx context.Context, items []bus.VRFItem) []bus.VRFResult
}

// Publisher hands messages to gossip: *bus.Conn.
type Publisher interface {
	Store(ctx context.Context, messages []bus.Stored) []error
}

// Live is what taking part needs.
type Live struct {
	Signer    Signer
	Publisher Publisher
	Metrics   *Metrics
}

// Metrics of taking part.
type Metrics struct {
	published, unsigned prometheus.Counter
}

// NewMetrics registers the metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: "smeshery_consensus_beacon_" + name, Help: help})
		r.MustRegister(c)
		return c
	}
	return &Metrics{
		published: counter("messages_published_total", "Beacon messages of this node's identities that were published."),
		unsigned:  counter("requests_unsigned_total", "Beacon messages that were not signed: refused, or nobody answered."),
	}
}

// Run moves the protocol with the clock, has messages signed and publishes them,
// until ctx ends. It returns when all signatures are in or given up.
func (b *Book) Run(ctx context.Context, live Live) error {
	var group sync.WaitGroup
	defer group.Wait()
	for {
		effects, err := b.tick(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			b.deps.Log.Error("the beacon failed", "err", err)
		}
		b.publish(ctx, live, effects.Publish)
		if len(effects.Sign) > 0 {
			group.Go(func() { b.sign(ctx, live, effects.Sign) })
		}
		at := effects.WakeAt
		if err != nil {
			// What could not be stored is tried again soon.
			at = b.deps.Clock.Now().Add(time.Second)
		}
		if err := b.deps.Clock.Until(ctx, at, b.poked); err != nil {
			return nil
		}
	}
}

// tick ends all phases that are over; their effects are put together.
func (b *Book) tick(ctx context.Context) (all beacon.Effects, err error) {
	for ctx.Err() == nil {
		now := b.deps.Clock.Now()
		effects, e := b.step(ctx, func(p *beacon.Protocol) (beacon.Effects, error) { return p.Tick(now) })
		err = errors.Join(err, e)
		all.Publish = append(all.Publish, effects.Publish...)
		all.Sign = append(all.Sign, effects.Sign...)
		all.WakeAt = effects.WakeAt
		if e != nil || effects.WakeAt.After(b.deps.Clock.Now()) {
			break
		}
	}
	return all, err
}

// sign asks for everything in two batches, answers the protocol, and publishes
// what it lets through.
func (b *Book) sign(ctx context.Context, live Live, requests []beacon.Request) {
	ctx, cancel := context.WithTimeout(ctx, signTimeout)
	defer cancel()
	answers := collect(ctx, live.Signer, requests)
	var messages []beacon.Message
	for i, r := range requests {
		if answers[i] == nil {
			live.Metrics.unsigned.Inc()
			continue
		}
		effects, err := b.step(ctx, func(p *beacon.Protocol) (beacon.Effects, error) {
			return p.Answer(b.deps.Clock.Now(), r, answers[i])
		})
		if err != nil {
			b.deps.Log.Warn("a signature for the beacon is of no use", "identity", r.Node, "err", err)
		}
		messages = append(messages, effects.Publish...)
	}
	b.publish(ctx, live, messages)
}

// collect gets the signatures of all requests; nil stands for a request of which
// any is missing.
func collect(ctx context.Context, signer Signer, requests []beacon.Request) [][][]byte {
	var proofs []bus.VRFItem
	var votes []bus.SignItem
	for _, r := range requests {
		for _, m := range r.Messages {
			if domain, vote := domainOf(r.Kind); vote {
				votes = append(votes, bus.SignItem{NodeID: r.Node, Domain: uint8(domain), Body: m})
			} else {
				proofs = append(proofs, bus.VRFItem{NodeID: r.Node, Message: m})
			}
		}
	}
	var proved []bus.VRFResult
	var signed []bus.SignResult
	if len(proofs) > 0 {
		proved = signer.Prove(ctx, proofs)
	}
	if len(votes) > 0 {
		signed = signer.Sign(ctx, votes)
	}
	out := make([][][]byte, len(requests))
	for i, r := range requests {
		all := make([][]byte, 0, len(r.Messages))
		for range r.Messages {
			if _, vote := domainOf(r.Kind); vote {
				if signed[0].Outcome == bus.Signed {
					all = append(all, signed[0].Signature[:])
				}
				signed = signed[1:]
			} else {
				if proved[0].Outcome == bus.Signed {
					all = append(all, proved[0].Proof[:])
				}
				proved = proved[1:]
			}
		}
		if len(all) == len(r.Messages) {
			out[i] = all
		}
	}
	return out
}

// domainOf is the domain of a vote; proposals and tosses are proofs and have none.
func domainOf(k beacon.Kind) (domain signing.Domain, vote bool) {
	switch k {
	case beacon.SignFirstVote:
		return signing.BeaconFirst, true
	case beacon.SignVote:
		return signing.BeaconFollowup, true
	}
	return 0, false
}

// topics are the protocol's as gossip knows them.
var topics = map[string]bus.GossipTopic{
	beacon.TopicProposal:  bus.TopicBeaconProposal,
	beacon.TopicFirstVote: bus.TopicBeaconFirstVotes,
	beacon.TopicVote:      bus.TopicBeaconFollowVotes,
	beacon.TopicWeakCoin:  bus.TopicWeakCoin,
}

func (b *Book) publish(ctx context.Context, live Live, messages []beacon.Message) {
	stored := make([]bus.Stored, 0, len(messages))
	for _, m := range messages {
		out, err := bus.GossipOut(topics[m.Topic]).Outgoing(m.Bytes)
		if err != nil {
			b.deps.Log.Error("a beacon message cannot be published", "topic", m.Topic, "err", err)
			continue
		}
		hash := wire.Sum([]byte(m.Topic), m.Bytes)
		stored = append(stored, bus.Stored{ID: "beacon-" + hex.EncodeToString(hash[:]), Outgoing: out})
	}
	if len(stored) == 0 {
		return
	}
	for _, err := range live.Publisher.Store(ctx, stored) {
		if err != nil {
			b.deps.Log.Warn("a beacon message is lost", "err", err)
			continue
		}
		live.Metrics.published.Inc()
	}
}
