package bus

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	natsd "github.com/nats-io/nats-server/v2/server"
)

// MaxPayload is the largest message in bytes that services send each other. A
// NATS server that is not ours must be configured to carry it.
const MaxPayload = 32 << 20

// ServerConfig describes an embedded NATS server.
type ServerConfig struct {
	// Name shows in NATS tools.
	Name string
	// StoreDir keeps the streams. Without one they live in a temporary
	// directory that ends with the server: their content is hints, the rows
	// are in Postgres.
	StoreDir string
	// Listen is a host:port for NATS clients of other processes. Empty is the
	// default: no port at all, only connections of this process.
	Listen string
	// Log gets the server's warnings and errors; nil discards them.
	Log *slog.Logger
}

// Server is a NATS server in this process.
type Server struct {
	ns   *natsd.Server
	temp string
	once sync.Once
}

// StartServer starts an embedded server and returns when it takes connections.
func StartServer(cfg ServerConfig) (*Server, error) {
	s := &Server{}
	opts := &natsd.Options{
		ServerName: cfg.Name,
		DontListen: cfg.Listen == "",
		NoSigs:     true,
		NoLog:      cfg.Log == nil,
		JetStream:  true,
		StoreDir:   cfg.StoreDir,
		MaxPayload: MaxPayload,
		MaxPending: 8 * MaxPayload,
	}
	if cfg.Listen != "" {
		if err := setListen(opts, cfg.Listen); err != nil {
			return nil, err
		}
	}
	if cfg.StoreDir == "" {
		dir, err := os.MkdirTemp("", "smeshery-nats-")
		if err != nil {
			return nil, fmt.Errorf("directory for streams: %w", err)
		}
		s.temp, opts.StoreDir = dir, dir
	}
	ns, err := natsd.NewServer(opts)
	if err != nil {
		s.removeTemp()
		return nil, fmt.Errorf("start nats: %w", err)
	}
	if cfg.Log != nil {
		ns.SetLoggerV2(serverLog{cfg.Log}, false, false, false)
	}
	s.ns = ns
	ns.Start()
	if !ns.ReadyForConnections(20 * time.Second) {
		s.Stop()
		return nil, errors.New("start nats: not ready for connections in 20 s")
	}
	if !ns.JetStreamEnabled() {
		s.Stop()
		return nil, fmt.Errorf("start nats: no streams in %s (is it writable, and used by nobody else?)", opts.StoreDir)
	}
	return s, nil
}

// URL is where other processes reach the server; empty if it does not listen.
func (s *Server) URL() string {
	if s.ns.Addr() == nil {
		return ""
	}
	return "nats://" + s.ns.Addr().String()
}

// Stop ends the server and returns when it ended. It may be called more than once.
func (s *Server) Stop() {
	s.once.Do(func() {
		s.ns.Shutdown()
		s.ns.WaitForShutdown()
		s.removeTemp()
	})
}

func (s *Server) removeTemp() {
	if s.temp != "" {
		_ = os.RemoveAll(s.temp)
	}
}

// serverLog gives the server's lines to slog, at the levels that an operator
// of ours would choose.
type serverLog struct{ log *slog.Logger }

func (l serverLog) Noticef(f string, v ...any) { l.log.Debug(fmt.Sprintf(f, v...)) }
func (l serverLog) Warnf(f string, v ...any)   { l.log.Warn(fmt.Sprintf(f, v...)) }
func (l serverLog) Fatalf(f string, v ...any)  { l.log.Error(fmt.Sprintf(f, v...)) }
func (l serverLog) Errorf(f string, v ...any)  { l.log.Error(fmt.Sprintf(f, v...)) }
func (l serverLog) Debugf(f string, v ...any)  { l.log.Debug(fmt.Sprintf(f, v...)) }
func (l serverLog) Tracef(f string, v ...any)  { l.log.Debug(fmt.Sprintf(f, v...)) }
