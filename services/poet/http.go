package poet

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/smeshery/smeshery/pkg/poet/rest"
	"github.com/smeshery/smeshery/services/poet/internal/db"
	"github.com/smeshery/smeshery/services/poet/internal/registry"
)

// Bounds of requests.
const (
	maxBody        = 64 << 10
	requestTimeout = 30 * time.Second
)

// refreshEvery is how often a front end looks for proofs of other processes.
const refreshEvery = 2 * time.Second

// serve starts the front end.
func (s *Service) serve(ctx context.Context, group *errgroup.Group, self db.Server, proved <-chan struct{}) error {
	info := rest.Info{
		ServicePubkey: self.Key.Public().(ed25519.PublicKey), PhaseShift: s.schedule.PhaseShift, CycleGap: s.schedule.CycleGap,
	}
	if s.cfg.CertifierURL != "" {
		info.Certifier = &rest.CertifierInfo{URL: s.cfg.CertifierURL, Pubkey: s.cfg.CertifierKey}
	}
	r := registry.New(registry.Config{
		Schedule: s.schedule, Info: info, Certifier: s.trusted.Load, PowDifficulty: s.cfg.PowDifficulty,
		PowChallenge: self.PowChallenge, MaxMembers: s.cfg.MaxMembers,
	}, s.deps.DB, s.deps.Now)
	if err := r.Refresh(ctx); err != nil {
		return err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("cannot listen for registrations: %w", err)
	}
	if err := s.serveRPC(ctx, group, r); err != nil {
		return errors.Join(err, l.Close())
	}
	s.addr.Store(l.Addr().(*net.TCPAddr))
	s.registry.Store(r)
	group.Go(func() error { return r.Run(ctx) })
	group.Go(func() error { return s.refresh(ctx, r, proved) })
	server := &http.Server{
		Handler: s.handler(r), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: requestTimeout,
		WriteTimeout: 2 * requestTimeout, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
	}
	group.Go(func() error {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve registrations: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if server.Shutdown(stop) != nil {
			_ = server.Close()
		}
		return nil
	})
	s.deps.Log.Info("registrations are taken", "address", l.Addr())
	return nil
}

func (s *Service) refresh(ctx context.Context, r *registry.Registry, proved <-chan struct{}) error {
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-proved:
		}
		if err := r.Refresh(ctx); err != nil && ctx.Err() == nil {
			s.deps.Log.Warn("cannot look for new proofs", "err", err)
		}
	}
}

func (s *Service) handler(r *registry.Registry) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		began := time.Now()
		body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
		if err != nil {
			http.Error(w, "request body: "+err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		ctx, cancel := context.WithTimeout(req.Context(), requestTimeout)
		defer cancel()
		answer := r.Handle(ctx, rest.Request{Method: req.Method, Path: req.URL.Path, Body: body})
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(answer.Status)
		_, _ = w.Write(answer.Body) // the client may be gone
		s.metrics.answered(req.URL.Path, answer.Status, time.Since(began))
		if answer.Status == http.StatusInternalServerError {
			s.deps.Log.Error("a request failed", "path", req.URL.Path, "answer", string(answer.Body))
		}
	})
}
