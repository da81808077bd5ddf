package bus

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/smeshery/smeshery/pkg/actor"
)

// inbound is a message on its way to a handler.
type inbound struct {
	msg      *nats.Msg
	arrived  time.Time
	deadline time.Time
}

// Subscription is a served endpoint or a subscribed topic.
type Subscription struct {
	conn    *Conn
	subject string
	queue   Queue
	box     *actor.Mailbox[*inbound]
	process func(context.Context, []*inbound)

	ctx     context.Context // of handlers; ends with Serve's, or when a drain gives up
	abort   context.CancelFunc
	sub     *nats.Subscription
	left    chan struct{} // closed when NATS delivers no more
	workers sync.WaitGroup
	drain   sync.Once
}

func newSubscription(ctx context.Context, c *Conn, subject string, q Queue) (*Subscription, error) {
	if q.Bytes <= 0 {
		q.Bytes = 64 << 20
	}
	if q.Batch <= 0 {
		q.Batch = 256
	}
	q.Workers = max(1, q.Workers)
	s := &Subscription{conn: c, subject: subject, queue: q, left: make(chan struct{})}
	box, err := actor.NewMailbox(actor.MailboxConfig[*inbound]{
		Length:   q.Length,
		Overflow: q.Full,
		Bytes:    q.Bytes,
		Size:     func(in *inbound) int { return len(in.msg.Data) },
		Dropped:  func(in *inbound) { s.fail(in, &Error{Busy, "queue is full, newer requests go first"}) },
	})
	if err != nil {
		return nil, fmt.Errorf("serve %s: %w", subject, err)
	}
	s.box = box
	s.ctx, s.abort = context.WithCancel(ctx)
	return s, nil
}

// start joins the queue group (or hears everything if there is none) and
// returns when the server knows it.
func (s *Subscription) start(group string) error {
	sub, err := s.conn.nc.QueueSubscribe(s.subject, group, s.receive)
	if err != nil {
		s.abort()
		return fmt.Errorf("serve %s: %w", s.subject, err)
	}
	s.sub = sub
	sub.SetClosedHandler(func(string) { close(s.left) })
	// receive only moves messages, so what waits in the client is short, but
	// a peer's burst must not be able to make it long.
	err = sub.SetPendingLimits(s.queue.Length+1024, s.queue.Bytes+MaxPayload)
	if err == nil {
		err = s.conn.nc.FlushTimeout(s.conn.timeout)
	}
	if err != nil {
		s.abort()
		_ = sub.Unsubscribe()
		return fmt.Errorf("serve %s: %w", s.subject, err)
	}
	s.conn.mu.Lock()
	s.conn.subs[s] = struct{}{}
	s.conn.mu.Unlock()
	for range s.queue.Workers {
		s.workers.Go(s.work)
	}
	context.AfterFunc(s.ctx, func() {
		_ = sub.Unsubscribe()
		s.box.Close()
	})
	return nil
}

// receive runs in NATS's goroutine: it never does the work itself.
func (s *Subscription) receive(m *nats.Msg) {
	in := &inbound{msg: m, arrived: time.Now()}
	budget := s.conn.timeout
	if us, err := strconv.ParseInt(first(m.Header, budgetHeader), 10, 64); err == nil {
		budget = min(time.Duration(us)*time.Microsecond, time.Hour)
	}
	in.deadline = in.arrived.Add(budget)
	switch err := s.box.Put(s.ctx, in); {
	case errors.Is(err, actor.ErrFull):
		s.fail(in, &Error{Busy, "queue is full"})
	case err != nil:
		s.fail(in, &Error{Stopping, "service is stopping"})
	}
}

func (s *Subscription) work() {
	batch := make([]*inbound, s.queue.Batch)
	for {
		n, err := s.box.TakeBatch(context.Background(), batch)
		if err != nil {
			return
		}
		s.handle(batch[:n])
		clear(batch[:n])
	}
}

// handle answers what came too late, and gives the rest to the handler.
func (s *Subscription) handle(batch []*inbound) {
	if s.ctx.Err() != nil {
		for _, in := range batch {
			s.fail(in, &Error{Stopping, "service is stopping"})
		}
		return
	}
	now := time.Now()
	live, last := batch[:0:0], now
	for _, in := range batch {
		if !in.deadline.After(now) {
			s.fail(in, &Error{Late, "expired in the queue"})
			continue
		}
		if in.deadline.After(last) {
			last = in.deadline
		}
		live = append(live, in)
	}
	if len(live) == 0 {
		return
	}
	ctx, cancel := context.WithDeadline(s.ctx, last)
	defer cancel()
	s.process(ctx, live)
}

// Drain leaves the queue group and returns when what was queued is handled. If
// ctx ends first, running handlers are cancelled and what waits is answered
// Stopping. It may be called more than once.
func (s *Subscription) Drain(ctx context.Context) {
	stop := context.AfterFunc(ctx, s.abort)
	defer stop()
	s.drain.Do(func() {
		if err := s.sub.Drain(); err == nil {
			select {
			case <-s.left:
			case <-ctx.Done():
				_ = s.sub.Unsubscribe()
			}
		}
		s.box.Close()
	})
	s.workers.Wait()
	s.abort()
	s.conn.mu.Lock()
	delete(s.conn.subs, s)
	s.conn.mu.Unlock()
}

// fail answers with an error, if anybody waits for an answer.
func (s *Subscription) fail(in *inbound, e *Error) {
	m := &nats.Msg{Subject: in.msg.Reply}
	putError(m, e)
	s.send(in, m, e.Code)
}

func (s *Subscription) answer(in *inbound, m *nats.Msg) {
	if len(m.Data) > MaxPayload-4096 {
		s.fail(in, &Error{TooLarge, strconv.Itoa(len(m.Data)) + " bytes"})
		return
	}
	s.send(in, m, "ok")
}

func (s *Subscription) send(in *inbound, m *nats.Msg, code Code) {
	s.conn.metrics.handled(s.subject, code, time.Since(in.arrived))
	if m.Subject == "" {
		return
	}
	if err := s.conn.nc.PublishMsg(m); err != nil {
		s.conn.log.Warn("reply lost", "subject", s.subject, "err", err)
	}
}

func (s *Subscription) panicked(p any) {
	s.conn.metrics.panics.WithLabelValues(s.subject).Inc()
	s.conn.log.Error("handler panicked", "subject", s.subject, "panic", p, "stack", string(debug.Stack()))
}
