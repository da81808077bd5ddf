package serve

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// observe is what happens around every call.
func observe(o Options) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.UnaryInterceptor(func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (resp any, err error) {
			if err := o.room.enter(); err != nil {
				return nil, err
			}
			defer o.room.leave()
			done := begin(ctx, o, info.FullMethod)
			defer func() { err = done(recover(), err) }()
			return handler(ctx, req)
		}),
		grpc.StreamInterceptor(func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
			if err := o.room.enter(); err != nil {
				return err
			}
			defer o.room.leave()
			done := begin(stream.Context(), o, info.FullMethod)
			o.Metrics.streams.Inc()
			defer o.Metrics.streams.Dec()
			defer func() { err = done(recover(), err) }()
			return handler(srv, stream)
		}),
	}
}

// room counts the calls of a listener, so that many connections cannot pile up
// more of them than there is memory for.
type room struct {
	calls atomic.Int64
	most  int64
}

func (r *room) enter() error {
	if r.calls.Add(1) > r.most {
		r.calls.Add(-1)
		return status.Error(codes.ResourceExhausted, "too many calls, try again later")
	}
	return nil
}

func (r *room) leave() { r.calls.Add(-1) }

// begin notes the start of a call; the result notes its end and turns a panic
// into an error.
func begin(ctx context.Context, o Options, method string) func(panicked any, err error) error {
	at := time.Now()
	o.Log.DebugContext(ctx, "call started", "method", method, "listener", o.Name)
	return func(panicked any, err error) error {
		if panicked != nil {
			err = Panicked(ctx, o.Log, method, panicked)
			o.Metrics.panics.Inc()
		}
		took, code := time.Since(at), status.Code(err)
		o.Metrics.calls.WithLabelValues(o.Name, method, code.String()).Inc()
		o.Metrics.seconds.WithLabelValues(method).Observe(took.Seconds())
		level := slog.LevelDebug
		if code == codes.Internal || code == codes.Unknown {
			level = slog.LevelWarn
		}
		o.Log.Log(ctx, level, "call finished", "method", method, "listener", o.Name, "code", code.String(), "took", took, "err", err)
		return err
	}
}

// Panicked logs a handler's panic and is the error that the client gets.
func Panicked(ctx context.Context, log *slog.Logger, method string, p any) error {
	log.ErrorContext(ctx, "a handler panicked", "method", method, "panic", p, "stack", string(debug.Stack()))
	return status.Error(codes.Internal, "internal error")
}
