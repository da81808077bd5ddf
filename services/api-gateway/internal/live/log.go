package live

import (
	"context"
	"log/slog"
	"runtime/debug"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v1"
)

// Log passes records on to another handler, and those of level error or above to
// the streams of errors as well (spec 09 §5.1, ErrorStream).
func (h *Hub) Log(next slog.Handler) slog.Handler { return &errorHandler{next, h} }

type errorHandler struct {
	slog.Handler
	hub *Hub
}

// Enabled is slog.Handler: errors are told of even where they are not written.
func (e *errorHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelError || e.Handler.Enabled(ctx, level)
}

// Handle is slog.Handler.
func (e *errorHandler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelError && e.hub.wanted(KindErrors) {
		e.hub.Emit(Error{Level: pb.LogLevel_LOG_LEVEL_ERROR, Text: r.Message, Stack: string(debug.Stack())})
	}
	if !e.Handler.Enabled(ctx, r.Level) {
		return nil
	}
	return e.Handler.Handle(ctx, r)
}

// WithAttrs is slog.Handler.
func (e *errorHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &errorHandler{e.Handler.WithAttrs(attrs), e.hub}
}

// WithGroup is slog.Handler.
func (e *errorHandler) WithGroup(name string) slog.Handler {
	return &errorHandler{e.Handler.WithGroup(name), e.hub}
}

// Shutdown tells the streams of errors that the node stops.
func (h *Hub) Shutdown() {
	h.Emit(Error{Level: pb.LogLevel_LOG_LEVEL_INFO, Text: "node is shutting down"})
}
