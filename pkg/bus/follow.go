package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Span is what a stream holds: sequences from First to Last, both included.
// Nothing was ever stored if Last is 0; everything is gone if First is Last + 1.
type Span struct{ First, Last uint64 }

// SpanOf tells what the stream of a topic holds now, on all its subjects.
func SpanOf[M any](ctx context.Context, c *Conn, t Topic[M]) (Span, error) {
	ctx, cancel := c.deadline(ctx)
	defer cancel()
	stream, err := c.js.Stream(ctx, t.stream)
	if err != nil {
		return Span{}, fmt.Errorf("span of %s: %w", t.subject, err)
	}
	state := stream.CachedInfo().State
	return Span{First: state.FirstSeq, Last: state.LastSeq}, nil
}

// Follow hands the messages of a topic on a stream to h in their order, from a
// sequence on, until ctx ends or h fails. Each follower gets its own copy, and
// the stream remembers nothing of it: who comes back says where it was. What the
// stream no longer holds is left out, and so is what does not decode. It reads as
// fast as h returns, and goes on by itself after NATS was away.
func Follow[M any](ctx context.Context, c *Conn, t Topic[M], from uint64, h func(context.Context, Delivery[M]) error) error {
	if t.stream == "" {
		return fmt.Errorf("follow %s: it is on no stream", t.subject)
	}
	for {
		err := follow(ctx, c, t, &from, h)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // whatever failed, it was told to end
		}
		var stop *handlerError
		if errors.As(err, &stop) {
			return stop.err
		}
		c.log.Warn("follower begins again", "subject", t.subject, "from", from, "err", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(followRetry):
		}
	}
}

// followRetry is the pause before a follower that lost its consumer makes another.
const followRetry = 250 * time.Millisecond

// handlerError tells a handler's failure from the stream's.
type handlerError struct{ err error }

func (e *handlerError) Error() string { return e.err.Error() }

func follow[M any](ctx context.Context, c *Conn, t Topic[M], from *uint64, h func(context.Context, Delivery[M]) error) error {
	consumer, err := c.js.OrderedConsumer(ctx, t.stream, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{t.subject},
		DeliverPolicy:  jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:    max(1, *from),
	})
	if err != nil {
		return err
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(256))
	if err != nil {
		return err
	}
	defer messages.Stop()
	defer context.AfterFunc(ctx, messages.Stop)()
	for {
		m, err := messages.Next()
		if err != nil {
			return err
		}
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		d := Delivery[M]{Subject: m.Subject(), Sequence: meta.Sequence.Stream, Attempt: 1, InProgress: func() error { return nil }}
		*from = d.Sequence + 1
		if err := t.form.get(&nats.Msg{Subject: m.Subject(), Header: m.Headers(), Data: m.Data()}, &d.Message); err != nil {
			c.log.Error("passed over a message", "subject", m.Subject(), "sequence", d.Sequence, "err", err)
			c.metrics.handled(t.subject, BadRequest, 0)
			continue
		}
		started := time.Now()
		if err := guarded(func() error { return h(ctx, d) }); err != nil {
			return &handlerError{err}
		}
		c.metrics.handled(t.subject, "ok", time.Since(started))
	}
}
