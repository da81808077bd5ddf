package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/smeshery/smeshery/pkg/actor"
)

// Topic is a subject that is published and heard, without replies. A topic on
// a stream is kept there until its consumers acknowledged it.
type Topic[M any] struct {
	subject string
	owner   string // publishes it
	stream  string // empty: a hint that may be lost
	form    form[M]
}

// Subject is the NATS subject, for logs and READMEs.
func (t Topic[M]) Subject() string { return t.subject }

// Outgoing is a message that a service stores in its outbox, in the
// transaction that made it true.
type Outgoing struct {
	Subject string
	Body    []byte
}

// Outgoing encodes m for the outbox.
func (t Topic[M]) Outgoing(m M) (Outgoing, error) {
	msg := &nats.Msg{Subject: t.subject}
	if err := t.form.put(msg, &m); err != nil {
		return Outgoing{}, fmt.Errorf("encode %s: %w", t.subject, err)
	}
	return Outgoing{t.subject, msg.Data}, nil
}

// Hint publishes m now, to whoever listens; it may be lost. What must arrive
// goes through the outbox.
func (t Topic[M]) Hint(c *Conn, m M) error {
	msg := &nats.Msg{Subject: t.subject}
	if err := t.form.put(msg, &m); err != nil {
		return fmt.Errorf("encode %s: %w", t.subject, err)
	}
	if err := c.nc.PublishMsg(msg); err != nil {
		return fmt.Errorf("publish %s: %w", t.subject, err)
	}
	return nil
}

// Listen hears what is published while it listens: each process its own copy,
// or with shared one process of the service each message.
func Listen[M any](ctx context.Context, c *Conn, t Topic[M], shared bool, q Queue, h func(context.Context, M)) (*Subscription, error) {
	s, err := newSubscription(ctx, c, t.subject, q)
	if err != nil {
		return nil, err
	}
	s.process = func(ctx context.Context, batch []*inbound) {
		for _, in := range batch {
			s.hear(ctx, in, func(ctx context.Context) error {
				var m M
				if err := t.form.get(in.msg, &m); err != nil {
					return err
				}
				h(ctx, m)
				return nil
			})
		}
	}
	group := ""
	if shared {
		group = c.service
	}
	if err := s.start(group); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Subscription) hear(ctx context.Context, in *inbound, h func(context.Context) error) {
	code := Code("ok")
	defer func() {
		if p := recover(); p != nil {
			code = Internal
			s.panicked(p)
		}
		s.conn.metrics.handled(s.subject, code, time.Since(in.arrived))
	}()
	if err := h(ctx); err != nil {
		code = BadRequest
		s.conn.log.Warn("message does not decode", "subject", s.subject, "err", err)
	}
}

// Delivery is one message of a stream.
type Delivery[M any] struct {
	Message M
	// Subject it was published on: topics may end in a wildcard.
	Subject string
	// Sequence is its place in the stream.
	Sequence uint64
	// Attempt counts deliveries from 1.
	Attempt uint64
	// InProgress asks for more time before it is delivered again.
	InProgress func() error
}

// ErrPoison makes Consume drop a message for good: it will never be handled.
var ErrPoison = errors.New("message can never be handled")

// Consumption says how Consume takes messages.
type Consumption struct {
	// Durable names the consumer; replicas that share it share the messages.
	Durable string
	// Subject narrows the topic's subject, if it has wildcards; optional.
	Subject string
	// AckWait is how long a handler may be silent before redelivery; 0 is 30 s.
	AckWait time.Duration
	// MaxAhead is how many messages may be unacknowledged; 0 is 256.
	MaxAhead int
	// Workers is how many are handled at a time; 0 is 1, which keeps order.
	Workers int
	// Retry is the pause before a failed message comes again; 0 is 1 s.
	Retry time.Duration
}

// Consume handles the messages of a topic on a stream, at least once each,
// until ctx ends: nil acknowledges, ErrPoison drops, any other error brings the
// message back later. It returns when all handlers have.
func Consume[M any](ctx context.Context, c *Conn, t Topic[M], o Consumption, h func(context.Context, Delivery[M]) error) error {
	consumer, err := c.consumer(ctx, t.subject, t.stream, &o)
	switch {
	case ctx.Err() != nil:
		return nil //nolint:nilerr // whatever failed, it was told to end
	case err != nil:
		return err
	}
	return c.pull(ctx, consumer, o, func(ctx context.Context, m jetstream.Msg) error {
		d := Delivery[M]{Subject: m.Subject(), InProgress: m.InProgress}
		if meta, err := m.Metadata(); err == nil {
			d.Sequence, d.Attempt = meta.Sequence.Stream, meta.NumDelivered
		}
		if err := t.form.get(&nats.Msg{Subject: m.Subject(), Header: m.Headers(), Data: m.Data()}, &d.Message); err != nil {
			return fmt.Errorf("%w: %w", ErrPoison, err)
		}
		return h(ctx, d)
	})
}

func (c *Conn) consumer(ctx context.Context, subject, stream string, o *Consumption) (jetstream.Consumer, error) {
	if stream == "" {
		return nil, fmt.Errorf("consume %s: it is on no stream", subject)
	}
	if o.Subject == "" {
		o.Subject = subject
	}
	if o.AckWait <= 0 {
		o.AckWait = 30 * time.Second
	}
	if o.MaxAhead <= 0 {
		o.MaxAhead = 256
	}
	if o.Retry <= 0 {
		o.Retry = time.Second
	}
	o.Workers = max(1, o.Workers)
	consumer, err := c.js.CreateOrUpdateConsumer(ctx, stream, jetstream.ConsumerConfig{
		Durable:       o.Durable,
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       o.AckWait,
		MaxAckPending: o.MaxAhead,
		FilterSubject: o.Subject,
	})
	if err != nil {
		return nil, fmt.Errorf("consume %s: %w", subject, err)
	}
	return consumer, nil
}

// pull moves messages from the consumer to the workers through a queue that
// holds back JetStream when it is full: nothing is lost there.
func (c *Conn) pull(ctx context.Context, consumer jetstream.Consumer, o Consumption, h func(context.Context, jetstream.Msg) error) error {
	box, err := actor.NewMailbox(actor.MailboxConfig[jetstream.Msg]{Length: o.Workers, Overflow: actor.Block})
	if err != nil {
		return err
	}
	iter, err := consumer.Messages(jetstream.PullMaxMessages(o.MaxAhead))
	if err != nil {
		return fmt.Errorf("consume %s: %w", o.Subject, err)
	}
	stop := context.AfterFunc(ctx, iter.Stop)
	defer stop()
	supervised := make(chan struct{})
	go func() {
		defer close(supervised)
		work(ctx, o.Workers, box, func(m jetstream.Msg) { c.settleDelivery(ctx, m, o, h) })
	}()
	for {
		m, err := iter.Next()
		if err != nil {
			box.Close()
			<-supervised
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("consume %s: %w", o.Subject, err)
		}
		_ = box.Put(ctx, m)
	}
}

func (c *Conn) settleDelivery(ctx context.Context, m jetstream.Msg, o Consumption, h func(context.Context, jetstream.Msg) error) {
	started := time.Now()
	err := guarded(func() error { return h(ctx, m) })
	code := Code("ok")
	switch {
	case err == nil:
		err = m.Ack()
	case errors.Is(err, ErrPoison):
		code = BadRequest
		c.log.Error("dropped a message", "subject", m.Subject(), "err", err)
		err = m.TermWithReason(err.Error())
	default:
		code = Internal
		c.log.Warn("message comes back later", "subject", m.Subject(), "err", err)
		err = m.NakWithDelay(o.Retry)
	}
	if err != nil {
		c.log.Warn("message was not settled and comes back", "subject", m.Subject(), "err", err)
	}
	c.metrics.handled(o.Subject, code, time.Since(started))
}
