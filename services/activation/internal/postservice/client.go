package postservice

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v1"
)

// errClosed is what callers hear whose connection has gone.
var errClosed = errors.New("client closed")

// errUnasked ends a connection that speaks without being asked.
var errUnasked = errors.New("response without a request")

// client is one connection. Requests are serial.
type client struct {
	stream pb.PostService_RegisterServer
	number int64
	// turn holds the connection for one request.
	turn chan struct{}
	// answers carries responses to whoever has the turn.
	answers chan *pb.ServiceResponse
	closed  chan struct{}

	mu  sync.Mutex
	err error
	// owed is whether a request is unanswered.
	owed bool
}

func newClient(stream pb.PostService_RegisterServer, number int64) *client {
	return &client{
		stream: stream, number: number, turn: make(chan struct{}, 1), answers: make(chan *pb.ServiceResponse, 1),
		closed: make(chan struct{}),
	}
}

// receive reads until the stream ends.
func (c *client) receive() {
	for {
		r, err := c.stream.Recv()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = errClosed
			}
			c.close(err)
			return
		}
		if !c.settle(r) {
			c.close(errUnasked)
			return
		}
	}
}

// settle hands a response over; false says that none was owed.
func (c *client) settle(r *pb.ServiceResponse) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.owed {
		return false
	}
	c.owed = false
	c.answers <- r // has room: it was emptied before the request
	return true
}

// owe says that a response may come now.
func (c *client) owe() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owed = true
}

func (c *client) close(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
		close(c.closed)
	}
}

func (c *client) cause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// gone is the error of a connection that has ended.
func (c *client) gone() error {
	if err := c.cause(); !errors.Is(err, errClosed) {
		return fmt.Errorf("%w: %w", errClosed, err)
	}
	return errClosed
}

// ask sends a request and waits for its response. If ctx ends before, the
// response is dropped when it comes, before the next request is sent.
func (c *client) ask(ctx context.Context, r *pb.NodeRequest) (*pb.ServiceResponse, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-c.closed:
		return nil, c.gone()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if err := c.drop(ctx); err != nil {
		return nil, err
	}
	c.owe()
	if err := c.stream.Send(r); err != nil {
		c.close(err)
		return nil, c.gone()
	}
	return c.answer(ctx)
}

// drop waits for the response to a request that was given up.
func (c *client) drop(ctx context.Context) error {
	c.mu.Lock()
	owed := c.owed
	c.mu.Unlock()
	if owed {
		_, err := c.answer(ctx)
		return err
	}
	select {
	case <-c.answers:
	default:
	}
	return nil
}

func (c *client) answer(ctx context.Context) (*pb.ServiceResponse, error) {
	select {
	case r := <-c.answers:
		return r, nil
	case <-c.closed:
		return nil, c.gone()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
