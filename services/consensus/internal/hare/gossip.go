package hare

import (
	"context"
	"errors"

	"github.com/smeshery/smeshery/pkg/bus"
	protocol "github.com/smeshery/smeshery/pkg/hare"
)

// Handle judges a message of one of hare's topics (spec 05 §4). Hare is not gated
// on the sync state. Own messages were judged before they were published. A full
// mailbox is bus.Busy.
func (d *Driver) Handle(ctx context.Context, topic bus.GossipTopic, m bus.PeerMessage) (bus.Judgement, error) {
	if m.Peer == bus.SelfPeer {
		return bus.Judgement{Verdict: bus.Accept}, nil
	}
	for _, v := range d.versions {
		if v.topic == topic {
			return d.deliver(ctx, &delivery{version: v, peer: m.Peer, body: m.Body, done: make(chan bus.Judgement, 1)})
		}
	}
	return bus.Judgement{}, bus.Errorf(bus.BadRequest, "%s is not hare's", topic)
}

func (d *Driver) deliver(ctx context.Context, in *delivery) (bus.Judgement, error) {
	select {
	case d.inbox <- in:
	default:
		return bus.Judgement{}, bus.Errorf(bus.Busy, "%d messages wait", len(d.inbox))
	}
	select {
	case j := <-in.done:
		d.deps.Metrics.judged(j.Verdict)
		return j, nil
	case <-ctx.Done():
		return bus.Judgement{}, ctx.Err()
	case <-d.ended:
		return bus.Judgement{}, ErrStopped
	}
}

// judge gives a delivery to its core.
func (d *Driver) judge(in *delivery) {
	step := in.version.core.Handle(protocol.Peer(in.peer), in.body)
	if step.Verdict == protocol.Pending {
		in.version.pending[step.Ticket] = in
	} else {
		in.answer(step)
	}
	d.do(in.version, step.Effects)
}

// answer tells the verdict; nobody may listen any more.
func (in *delivery) answer(step protocol.Step) { in.done <- judgement(step) }

func judgement(step protocol.Step) bus.Judgement {
	if step.Verdict == protocol.Accept {
		return bus.Judgement{Verdict: bus.Accept}
	}
	j := bus.Judgement{Verdict: bus.Ignore, Reason: "hare"}
	if step.Verdict == protocol.Reject {
		j.Verdict = bus.Reject
	}
	if rule, ok := errors.AsType[*protocol.RuleError](step.Err); ok {
		j.Reason, j.Detail = string(rule.Rule), rule.Detail
	}
	return j
}

// Serve answers a peer's request for a full list; false closes the stream without
// an answer (spec 05 §10.5).
func (d *Driver) Serve(ctx context.Context, request []byte) (answer []byte, ok bool, err error) {
	done := make(chan struct{})
	err = d.post(ctx, func() {
		defer close(done)
		for _, v := range d.versions {
			if v.core.Params().Hare4 {
				answer, ok = v.core.Serve(request)
			}
		}
	})
	if err != nil {
		return nil, false, err
	}
	select {
	case <-done:
		return answer, ok, nil
	case <-ctx.Done():
		return nil, false, ctx.Err()
	case <-d.ended:
		return nil, false, ErrStopped
	}
}

// fetch asks a peer and gives the delivery its verdict.
func (d *Driver) fetch(v *version, e protocol.Fetch) {
	d.spawn(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, exchangeTimeout)
		defer cancel()
		raw, err := []byte(nil), errNoExchange
		if d.deps.Exchange != nil {
			raw, err = d.deps.Exchange(ctx, string(e.Peer), e.Request)
		}
		_ = d.post(d.ctx, func() {
			in := v.pending[e.Ticket]
			delete(v.pending, e.Ticket)
			step := v.core.Fetched(e.Ticket, raw, err)
			if in != nil {
				in.answer(step)
			}
			d.do(v, step.Effects)
		})
	})
}
