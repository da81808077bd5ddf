package bus

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/smeshery/smeshery/pkg/actor"
)

// Queue bounds what waits at an owner. Length and Full have no default.
type Queue struct {
	// Length is the most messages that wait.
	Length int
	// Full is what happens to one more: actor.Refuse answers it Busy,
	// actor.DropOldest answers the oldest Busy. actor.Block stops reading
	// from NATS, which then drops: it is refused on the gossip path.
	Full actor.Overflow
	// Bytes bounds what waits in bytes; 0 is 64 MiB.
	Bytes int
	// Workers is how many handlers run at a time; 0 is 1.
	Workers int
	// Batch is the most messages a batch handler gets; 0 is 256.
	Batch int
}

// Handler answers one request. An *Error goes to the caller as it is, any
// other error as Internal with its text. ctx ends with the caller's deadline.
type Handler[Req, Rep any] func(ctx context.Context, req Req) (Rep, error)

// BatchHandler answers all calls of a batch with Reply or Fail before it
// returns; what it leaves is answered Internal. ctx ends with the last of their
// deadlines. The slice is reused: a handler must not keep it.
type BatchHandler[Req, Rep any] func(ctx context.Context, calls []*Call[Req, Rep])

// Call is one request of a batch.
type Call[Req, Rep any] struct {
	Request  Req
	Deadline time.Time

	in       *inbound
	rep      form[Rep]
	sub      *Subscription
	answered atomic.Bool
}

// Reply answers the call. Only the first answer counts.
func (c *Call[Req, Rep]) Reply(rep Rep) {
	if !c.answered.CompareAndSwap(false, true) {
		return
	}
	m := &nats.Msg{Subject: c.in.msg.Reply}
	if err := c.rep.put(m, &rep); err != nil {
		c.sub.fail(c.in, &Error{Internal, "encode reply: " + err.Error()})
		return
	}
	c.sub.answer(c.in, m)
}

// Fail answers the call with an error. Only the first answer counts.
func (c *Call[Req, Rep]) Fail(err error) {
	if c.answered.CompareAndSwap(false, true) {
		c.sub.fail(c.in, asError(err))
	}
}

// Serve answers e's requests one by one, Workers at a time. Handlers' contexts
// descend from ctx. It returns when the subscription is in force.
func Serve[Req, Rep any](ctx context.Context, c *Conn, e Endpoint[Req, Rep], q Queue, h Handler[Req, Rep]) (*Subscription, error) {
	q.Batch = 1
	return ServeBatch(ctx, c, e, q, func(ctx context.Context, calls []*Call[Req, Rep]) {
		for _, call := range calls {
			if rep, err := h(ctx, call.Request); err != nil {
				call.Fail(err)
			} else {
				call.Reply(rep)
			}
		}
	})
}

// ServeBatch gives the handler up to q.Batch requests at once, or what is
// there: an owner that stores many objects in one statement keeps up with many
// more of them. With more than one worker batches overlap.
func ServeBatch[Req, Rep any](ctx context.Context, c *Conn, e Endpoint[Req, Rep], q Queue, h BatchHandler[Req, Rep]) (*Subscription, error) {
	if e.owner != c.service {
		return nil, fmt.Errorf("serve %s: it is owned by %s, not by %s", e.subject, e.owner, c.service)
	}
	if e.gossip && q.Full == actor.Block {
		return nil, fmt.Errorf("serve %s: a queue on the gossip path must not block", e.subject)
	}
	s, err := newSubscription(ctx, c, e.subject, q)
	if err != nil {
		return nil, err
	}
	s.process = func(ctx context.Context, batch []*inbound) {
		calls := decodeCalls(s, e, batch)
		defer settle(s, calls)
		if len(calls) > 0 {
			h(ctx, calls)
		}
	}
	if err := s.start(e.owner); err != nil {
		return nil, err
	}
	return s, nil
}

func decodeCalls[Req, Rep any](s *Subscription, e Endpoint[Req, Rep], batch []*inbound) []*Call[Req, Rep] {
	storage := make([]Call[Req, Rep], len(batch))
	calls := make([]*Call[Req, Rep], 0, len(batch))
	for i, in := range batch {
		call := &storage[i]
		call.in, call.rep, call.sub, call.Deadline = in, e.rep, s, in.deadline
		if err := e.req.get(in.msg, &call.Request); err != nil {
			call.Fail(&Error{BadRequest, err.Error()})
			continue
		}
		calls = append(calls, call)
	}
	return calls
}

var errUnanswered = errors.New("handler left the request unanswered")

// settle answers what the handler did not, and survives its panic.
func settle[Req, Rep any](s *Subscription, calls []*Call[Req, Rep]) {
	err := errUnanswered
	if p := recover(); p != nil {
		err = errors.New("handler panicked")
		s.panicked(p)
	}
	for _, call := range calls {
		call.Fail(err)
	}
}
