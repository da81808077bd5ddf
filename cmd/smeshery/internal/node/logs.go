package node

import (
	"context"
	"log/slog"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/telemetry"
	apigateway "github.com/smeshery/smeshery/services/api-gateway"
)

// logOf is a service's logger: its level may be changed while it runs, and the
// clients of the API hear of errors.
func (n *Node) logOf(service string) *slog.Logger {
	log := telemetry.ForService(n.log, service)
	return slog.New(&serviceLog{Handler: log.Handler(), node: n, level: n.levels[service]})
}

type serviceLog struct {
	slog.Handler
	node  *Node
	level *slog.LevelVar
}

// Enabled is slog.Handler. A level below that of the process's log has no effect.
func (l *serviceLog) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= l.level.Level() && l.Handler.Enabled(ctx, level)
}

// Handle is slog.Handler.
func (l *serviceLog) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelError {
		if api := l.node.api(); api != nil {
			_ = api.Log(slog.DiscardHandler).Handle(ctx, r) // it only tells others
		}
	}
	return l.Handler.Handle(ctx, r)
}

// WithAttrs is slog.Handler.
func (l *serviceLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &serviceLog{l.Handler.WithAttrs(attrs), l.node, l.level}
}

// WithGroup is slog.Handler.
func (l *serviceLog) WithGroup(name string) slog.Handler {
	return &serviceLog{l.Handler.WithGroup(name), l.node, l.level}
}

// api is the gateway of this process, or nil.
func (n *Node) api() *apigateway.Service {
	n.mu.Lock()
	defer n.mu.Unlock()
	s, _ := n.running[bus.APIService].service.(*apigateway.Service)
	return s
}
