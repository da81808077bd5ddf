package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Streams. Their content repeats rows of Postgres; losing one costs time only.
const (
	// GossipOutStream holds what gossip has to publish.
	GossipOutStream = "GOSSIP_OUT"
	// EventsStream holds the domain events that the API replays.
	EventsStream = "EVENTS"
	// WorkStream holds wake-ups for workers.
	WorkStream = "WORK"
)

// dedupe is how long JetStream remembers message ids: longer than an outbox
// relay takes to come back after a crash.
const dedupe = 10 * time.Minute

// streams declares all of them; replicas is 1 or, in a cluster, 3.
func streams(replicas int) []jetstream.StreamConfig {
	return []jetstream.StreamConfig{
		{
			Name: GossipOutStream, Subjects: []string{"gossip.out.>"},
			Description: "Messages that gossip publishes once.",
			Retention:   jetstream.WorkQueuePolicy, Discard: jetstream.DiscardOld,
			MaxAge: time.Hour, MaxBytes: 256 << 20,
			Duplicates: dedupe, Replicas: replicas,
		},
		{
			Name: EventsStream, Subjects: []string{"events.>"},
			Description: "Domain events, replayable from a sequence number.",
			Retention:   jetstream.LimitsPolicy, Discard: jetstream.DiscardOld,
			MaxAge: 7 * 24 * time.Hour, MaxBytes: 512 << 20,
			Duplicates: dedupe, Replicas: replicas,
		},
		{
			Name: WorkStream, Subjects: []string{"work.>"},
			Description: "Wake-ups for workers; the task row is the truth.",
			Retention:   jetstream.WorkQueuePolicy, Discard: jetstream.DiscardOld,
			MaxAge: time.Hour, MaxBytes: 64 << 20,
			Duplicates: dedupe, Replicas: replicas,
		},
	}
}

// EnsureStreams creates the streams, or brings their settings up to date. Every
// service may call it at start.
func EnsureStreams(ctx context.Context, c *Conn, replicas int) error {
	for _, cfg := range streams(replicas) {
		if _, err := c.js.CreateOrUpdateStream(ctx, cfg); err != nil {
			return fmt.Errorf("stream %s: %w", cfg.Name, err)
		}
	}
	return nil
}

// Stored is an outbox row on its way to a stream.
type Stored struct {
	// ID is the message id by which JetStream drops repeats.
	ID string
	Outgoing
}

// Store publishes messages to their streams, in order, and waits until each
// is accepted or ctx ends. The errors stand at the indices of their messages; nil
// is accepted, now or before.
func (c *Conn) Store(ctx context.Context, messages []Stored) []error {
	ctx, cancel := c.deadline(ctx)
	defer cancel()
	errs := make([]error, len(messages))
	acks := make([]jetstream.PubAckFuture, len(messages))
	for i := range messages {
		m := &nats.Msg{Subject: messages[i].Subject, Data: messages[i].Body, Header: nats.Header{}}
		acks[i], errs[i] = c.js.PublishMsgAsync(m, jetstream.WithMsgID(messages[i].ID))
	}
	for i, ack := range acks {
		if errs[i] == nil {
			errs[i] = await(ctx, ack)
		}
		if errs[i] != nil {
			errs[i] = fmt.Errorf("store %s: %w", messages[i].Subject, errs[i])
		}
	}
	return errs
}

func await(ctx context.Context, ack jetstream.PubAckFuture) error {
	select {
	case <-ack.Ok():
		return nil
	case err := <-ack.Err():
		if errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrNoStreamResponse) {
			return &Error{Unavailable, "no stream takes it"}
		}
		return err
	case <-ctx.Done():
		return &Error{Late, context.Cause(ctx).Error()}
	}
}
