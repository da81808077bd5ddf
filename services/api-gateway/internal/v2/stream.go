package v2

import (
	"context"
	"errors"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v2alpha1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/smeshery/smeshery/services/api-gateway/internal/live"
	"github.com/smeshery/smeshery/services/api-gateway/internal/node"
)

// historyPage is how many rows of the past are read at a time.
const historyPage = 512

var (
	errOverflow = status.Error(codes.Canceled, "buffer overflow")
	errHeader   = status.Error(codes.Unavailable, "can't send header")
)

// flow is one stream of spec 09 §3.9: the past by pages and, with watch, what
// happens meanwhile and after.
type flow[T any] struct {
	hub  *live.Hub
	kind live.Kind
	// check judges the request; the header may be out before it.
	check func() error
	// match chooses events for the buffer.
	match func(live.Event) bool
	// page gives the next part of the past, empty at its end.
	page func(ctx context.Context) ([]*T, error)
	// now makes messages of an event.
	now func(ctx context.Context, e live.Event) ([]*T, error)
}

func (f *flow[T]) run(stream grpc.ServerStreamingServer[T], watch bool) error {
	var sub *live.Subscription
	if watch {
		sub = f.hub.Subscribe(live.BufferV2, f.match, f.kind)
		defer sub.Close()
		if err := stream.SendHeader(metadata.MD{}); err != nil {
			return errHeader
		}
	}
	if err := f.check(); err != nil {
		return err
	}
	if err := f.past(stream, sub); err != nil || sub == nil {
		return ended(stream.Context(), err)
	}
	return ended(stream.Context(), f.future(stream, sub))
}

// past sends history, and before each of its rows what has happened.
func (f *flow[T]) past(stream grpc.ServerStreamingServer[T], sub *live.Subscription) error {
	ctx := stream.Context()
	for {
		rows, err := f.page(ctx)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			if err := f.pending(stream, sub); err != nil {
				return err
			}
			if err := stream.Send(row); err != nil {
				return err
			}
		}
	}
}

// pending sends the events that are there.
func (f *flow[T]) pending(stream grpc.ServerStreamingServer[T], sub *live.Subscription) error {
	if sub == nil {
		return nil
	}
	for {
		e, ok, err := sub.Poll()
		if err != nil || !ok {
			return err
		}
		if err := f.send(stream, e); err != nil {
			return err
		}
	}
}

func (f *flow[T]) future(stream grpc.ServerStreamingServer[T], sub *live.Subscription) error {
	for {
		e, err := sub.Next(stream.Context())
		if err != nil {
			return err
		}
		if err := f.send(stream, e); err != nil {
			return err
		}
	}
}

func (f *flow[T]) send(stream grpc.ServerStreamingServer[T], e live.Event) error {
	messages, err := f.now(stream.Context(), e)
	if err != nil {
		return err
	}
	for _, m := range messages {
		if err := stream.Send(m); err != nil {
			return err
		}
	}
	return nil
}

// ended is how a stream ends: well if its client left.
func ended(ctx context.Context, err error) error {
	var overflow *live.Overflow
	if ctx.Err() != nil {
		err = nil
	}
	if errors.As(err, &overflow) {
		return errOverflow
	}
	return node.Failed(err)
}

// transactionStream exists for clients to be told that it does not.
type transactionStream struct{}

// Stream is not part of the network's software.
func (transactionStream) Stream(*pb.TransactionStreamRequest, grpc.ServerStreamingServer[pb.TransactionResponse]) error {
	return status.Error(codes.Unimplemented, "this endpoint has not yet been implemented")
}
