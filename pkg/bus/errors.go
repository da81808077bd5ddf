package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
)

// Code is the machine-readable part of an error reply. It is itself an error,
// so that errors.Is(err, bus.Busy) works on what Call returns.
type Code string

// The codes that the bus itself gives. Owners may add their own beside their
// subjects.
const (
	// Busy: the owner's queue is full. Try again later.
	Busy Code = "busy"
	// Late: the deadline passed before or while the owner looked at it.
	Late Code = "late"
	// Unavailable: nobody serves the subject, or NATS is away.
	Unavailable Code = "unavailable"
	// BadRequest: the request does not decode, or contradicts itself.
	BadRequest Code = "bad_request"
	// NotFound: the owner does not have what was asked for.
	NotFound Code = "not_found"
	// Conflict: the owner holds something that excludes it.
	Conflict Code = "conflict"
	// Stopping: the owner drains; another replica may answer.
	Stopping Code = "stopping"
	// TooLarge: the reply exceeds what NATS carries.
	TooLarge Code = "too_large"
	// Internal: the owner failed. Says nothing about the request.
	Internal Code = "internal"
)

// Error is the code itself.
func (c Code) Error() string { return string(c) }

// Error is an error reply. It unwraps to its Code.
type Error struct {
	Code Code
	// Text is for people; nobody may branch on it.
	Text string
}

// Errorf makes an error reply for a handler to return.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{code, fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string {
	if e.Text == "" {
		return string(e.Code)
	}
	return string(e.Code) + ": " + e.Text
}

// Unwrap gives the code.
func (e *Error) Unwrap() error { return e.Code }

// asError is what a handler's error looks like to the caller.
func asError(err error) *Error {
	var e *Error
	var code Code
	switch {
	case errors.As(err, &e):
		return e
	case errors.As(err, &code):
		return &Error{code, err.Error()}
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Late, err.Error()}
	case errors.Is(err, context.Canceled):
		return &Error{Stopping, err.Error()}
	}
	return &Error{Internal, err.Error()}
}

// callError is what a failed NATS request looks like to the caller.
func callError(subject string, err error) error {
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		err = &Error{Unavailable, "nobody serves it"}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrTimeout):
		err = &Error{Late, "no reply in time"}
	case errors.Is(err, nats.ErrMaxPayload):
		err = &Error{TooLarge, err.Error()}
	case errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, nats.ErrDisconnected),
		errors.Is(err, nats.ErrReconnectBufExceeded), errors.Is(err, nats.ErrConnectionDraining):
		err = &Error{Unavailable, err.Error()}
	}
	return fmt.Errorf("request %s: %w", subject, err)
}

// maxErrorText keeps hostile or runaway texts out of headers.
const maxErrorText = 1024

// putError writes err into headers that NATS tools know too.
func putError(m *nats.Msg, err *Error) {
	text := err.Text
	if len(text) > maxErrorText {
		text = text[:maxErrorText]
	}
	m.Header = nats.Header{
		micro.ErrorCodeHeader: {string(err.Code)},
		micro.ErrorHeader:     {strconv.Quote(text)},
	}
}

// getError reads what putError wrote; nil if the message is no error reply.
func getError(m *nats.Msg) *Error {
	code := first(m.Header, micro.ErrorCodeHeader)
	if code == "" {
		return nil
	}
	text := first(m.Header, micro.ErrorHeader)
	if plain, err := strconv.Unquote(text); err == nil {
		text = plain
	}
	return &Error{Code(code), text}
}

// first reads a header without canonicalising its name.
func first(h nats.Header, key string) string {
	if v := h[key]; len(v) > 0 {
		return v[0]
	}
	return ""
}
