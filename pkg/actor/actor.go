package actor

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
)

// Actor handles messages one at a time. It is used by one goroutine only.
type Actor[M any] interface {
	// Handle steps the core, persists its effects in one transaction, commits,
	// and only then sends. An error ends this run of the actor.
	Handle(ctx context.Context, m M) error
}

// Func is an actor that is only a function.
type Func[M any] func(ctx context.Context, m M) error

// Handle calls f.
func (f Func[M]) Handle(ctx context.Context, m M) error { return f(ctx, m) }

// Start builds an actor from what is persisted. The supervisor calls it before
// each run, so it must not assume that an earlier one left anything behind.
type Start[M any] func(ctx context.Context) (Actor[M], error)

// ErrDone ends an actor for good: its life is over, as a poet round's is. The
// supervisor does not restart it.
var ErrDone = errors.New("actor is done")

// PanicError is what a panic in an actor becomes: our own invariant is broken.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.Value, e.Stack) }

// Loop runs one actor over a mailbox until ctx ends (nil), the mailbox is closed
// and empty (nil), or the actor fails.
func Loop[M any](ctx context.Context, box *Mailbox[M], a Actor[M]) error {
	for {
		m, err := box.Take(ctx)
		switch {
		case errors.Is(err, ErrClosed) || ctx.Err() != nil:
			return nil //nolint:nilerr // both are orderly ends
		case err != nil:
			return err
		}
		if err := safely(func() error { return a.Handle(ctx, m) }); err != nil {
			return err
		}
	}
}

// safely turns a panic into a PanicError.
func safely(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{v, debug.Stack()}
		}
	}()
	return f()
}
