package activation

import (
	"context"
	"net"

	"golang.org/x/sync/errgroup"

	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/postservice"
	"github.com/smeshery/smeshery/services/activation/internal/smeshing"
	"github.com/smeshery/smeshery/services/activation/internal/tasks"
)

// PostServices are the listeners for post-services of other machines.
type PostServices = postservice.Config

// Space is where identities' proofs come from: post-services that are connected,
// and own post-workers if the configuration has them. It works while Run does.
func (s *Service) Space() smeshing.Space {
	return &tasks.Space{Queue: s.tasks, Workers: s.cfg.LocalSpace, Now: s.deps.Clock.Now}
}

// usesQueue tells whether proofs come from the queue, if nothing else is said.
func (s *Service) usesQueue() bool {
	return s.cfg.LocalSpace || s.cfg.PostServices.Plain != "" || s.cfg.PostServices.TLS != ""
}

// PostAddr is where post-services connect, on the listener "post" or "tls"; nil
// while it does not listen.
func (s *Service) PostAddr(listener string) net.Addr {
	if l := s.listeners.Load(); l != nil {
		return l.Addr(listener)
	}
	return nil
}

// hearPostServices opens the ports and serves them until ctx ends.
func (w *working) hearPostServices(ctx context.Context, group *errgroup.Group) error {
	cfg := w.cfg.PostServices
	if cfg.Plain == "" && cfg.TLS == "" {
		return nil
	}
	server, err := postservice.New(cfg, postservice.Deps{
		Queue: w.tasks, Verifier: w.post, Log: w.deps.Log, Registry: w.deps.Registry,
		Allowed: w.hasCoinbase, Identities: w.named,
	})
	if err != nil {
		return err
	}
	w.listeners.Store(server)
	group.Go(func() error {
		defer w.listeners.Store(nil)
		return server.Run(ctx)
	})
	return nil
}

// hasCoinbase tells whether it is known who is rewarded (spec 09 §6.4).
func (w *working) hasCoinbase() bool {
	if w.smesher != nil {
		return w.smesher.Coinbase() != wire.Address{}
	}
	return w.cfg.Coinbase != wire.Address{}
}

func (w *working) named() []postservice.Identity {
	all := w.guard.All()
	out := make([]postservice.Identity, len(all))
	for i, id := range all {
		out[i] = postservice.Identity{Node: id, Name: w.names.of(id)}
	}
	return out
}
