package bus

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
)

// Headers of requests. Values are the bus's own business.
const (
	// budgetHeader is the caller's remaining time in microseconds.
	budgetHeader = "Smeshery-Budget-Us"
	// peerHeader is the libp2p id of the peer whose bytes these are.
	peerHeader = "Smeshery-Peer"
	// hashHeader is the hex key under which an object was asked for.
	hashHeader = "Smeshery-Hash"
)

// Endpoint is a subject with a request and a reply type.
type Endpoint[Req, Rep any] struct {
	subject string
	owner   string
	gossip  bool
	req     form[Req]
	rep     form[Rep]
}

// Subject is the NATS subject, for logs and READMEs.
func (e Endpoint[Req, Rep]) Subject() string { return e.subject }

// Owner is the service that serves it.
func (e Endpoint[Req, Rep]) Owner() string { return e.owner }

// Call sends a request and waits for its reply until ctx ends. The error
// unwraps to a Code for everything the bus or the owner answered.
func (e Endpoint[Req, Rep]) Call(ctx context.Context, c *Conn, req Req) (rep Rep, err error) {
	defer func() { c.metrics.called(e.subject, err) }()
	ctx, cancel := c.deadline(ctx)
	defer cancel()
	m := &nats.Msg{Subject: e.subject, Header: make(nats.Header, 2)}
	if at, ok := ctx.Deadline(); ok {
		m.Header[budgetHeader] = []string{strconv.FormatInt(time.Until(at).Microseconds(), 10)}
	}
	if err := e.req.put(m, &req); err != nil {
		return rep, fmt.Errorf("request %s: %w", e.subject, err)
	}
	answer, err := c.nc.RequestMsgWithContext(ctx, m)
	if err != nil {
		return rep, callError(e.subject, err)
	}
	if e := getError(answer); e != nil {
		return rep, fmt.Errorf("request %s: %w", m.Subject, e)
	}
	if err := e.rep.get(answer, &rep); err != nil {
		var zero Rep
		return zero, fmt.Errorf("reply of %s: %w", e.subject, err)
	}
	return rep, nil
}
