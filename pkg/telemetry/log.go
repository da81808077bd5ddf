package telemetry

import (
	"fmt"
	"io"
	"log/slog"
)

// Keys of log attributes.
const (
	KeyService  = "service"
	KeyInstance = "instance"
	KeyVersion  = "version"
	KeySmesher  = "smesher"
	KeyLayer    = "layer"
	KeyEpoch    = "epoch"
	KeyRound    = "round"
	KeyATX      = "atx"
	KeyBallot   = "ballot"
	KeyProposal = "proposal"
	KeyBlock    = "block"
	KeyTx       = "tx"
	KeyPoet     = "poet"
	KeyPeer     = "peer"
	KeyTopic    = "topic"
	KeySubject  = "subject"
	KeyVerdict  = "verdict"
	KeyReason   = "reason"
	KeyTerm     = "term"
	KeyTook     = "took"
	KeyErr      = "err"
)

// LogConfig is the part of a configuration that logging needs.
type LogConfig struct {
	// Level is the least severe that is written. Error is for what needs an
	// operator, Warn for what repaired itself, Info for what happens once per
	// layer or less, Debug for the rest.
	Level slog.Level `usage:"debug, info, warn or error"`
	// Format is text or json.
	Format string `usage:"text or json"`
}

// DefaultLogConfig writes text from Info on.
func DefaultLogConfig() LogConfig { return LogConfig{Level: slog.LevelInfo, Format: "text"} }

// Validate tells whether the format is known.
func (c LogConfig) Validate() error {
	if c.Format != "text" && c.Format != "json" {
		return fmt.Errorf("format: %q is neither text nor json", c.Format)
	}
	return nil
}

// NewLogger makes the logger of a service instance, with attributes that are on
// every line. A format other than json is text.
func NewLogger(w io.Writer, cfg LogConfig, attrs ...slog.Attr) *slog.Logger {
	opts := &slog.HandlerOptions{Level: cfg.Level}
	var h slog.Handler = slog.NewTextHandler(w, opts)
	if cfg.Format == "json" {
		h = slog.NewJSONHandler(w, opts)
	}
	return slog.New(h.WithAttrs(attrs))
}

// ForService narrows a process's logger to one service.
func ForService(log *slog.Logger, service string) *slog.Logger {
	return log.With(slog.String(KeyService, service))
}
