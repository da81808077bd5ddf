package poets

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/poet/poetclient"
	"github.com/smeshery/smeshery/pkg/poet/rest"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Registration is what an identity registers.
type Registration struct {
	Node      wire.NodeID
	Challenge wire.Hash32
	// Prefix is the network's genesis ID; Signature covers it, the domain and
	// the challenge.
	Prefix    []byte
	Signature wire.EdSignature
	// Deadline is when the round's proof is of no use any more.
	Deadline time.Time
	// Show is the proof of space for certifiers; its error means that there is
	// none yet.
	Show func(context.Context) (*rest.CertifyRequest, error)
}

// Registered is a place in a round.
type Registered struct {
	Round string
	End   time.Time
}

// Register takes a place in the open round and tries until ctx ends (spec 03
// §14.7). A repeat for the same challenge is welcome at the PoET.
func (s *Server) Register(ctx context.Context, r *Registration) (Registered, error) {
	if err := s.turn.Acquire(ctx, 1); err != nil {
		return Registered{}, err
	}
	defer s.turn.Release(1)
	info, err := s.Info(ctx)
	if err != nil {
		return Registered{}, fmt.Errorf("poet %s: info: %w", s.Name(), err)
	}
	if info.PhaseShift != s.cfg.PhaseShift {
		s.info.forget() // a server that is mended need not be waited for
		return Registered{}, fmt.Errorf("poet %s: %w: %v instead of %v", s.Name(), ErrPhaseShift, info.PhaseShift, s.cfg.PhaseShift)
	}
	for again := false; ; again = true {
		request, err := s.authorized(ctx, r, &info)
		if err != nil {
			return Registered{}, fmt.Errorf("poet %s: %w", s.Name(), err)
		}
		got, err := s.client.Submit(ctx, request)
		switch {
		case err == nil:
			return Registered{Round: got.RoundID, End: s.deps.Now().Add(got.Remaining)}, nil
		case errors.Is(err, rest.ErrUnauthorized) && !again:
			// The certificate has expired, or the PoET moved on to another
			// challenge for proofs of work.
			s.pow.forget()
			if err := s.dropCertificate(ctx, r.Node, &info); err != nil {
				return Registered{}, err
			}
		default:
			return Registered{}, fmt.Errorf("poet %s: submit: %w", s.Name(), err)
		}
	}
}

func (s *Server) authorized(ctx context.Context, r *Registration, info *rest.Info) (*rest.SubmitRequest, error) {
	deadline := r.Deadline
	request := &rest.SubmitRequest{
		Prefix: rest.SigningPrefix(r.Prefix), Challenge: r.Challenge[:], Pubkey: r.Node[:],
		Signature: r.Signature[:], Deadline: &deadline,
	}
	if c, err := s.certificate(ctx, r.Node, r.Show, info); err == nil {
		request.Certificate = &c
		return request, nil
	} else if ctx.Err() != nil {
		return nil, err
	}
	params, err := s.powParams(ctx)
	if err != nil {
		return nil, fmt.Errorf("pow params: %w", err)
	}
	request.Pow = params
	request.Nonce, err = s.solve(ctx, params, r)
	return request, err
}

// powStep is how many nonces are tried between looks at the context.
const powStep = 1 << 16

func (s *Server) solve(ctx context.Context, params poet.PowParams, r *Registration) (uint64, error) {
	if err := s.powTurn.Acquire(ctx, 1); err != nil {
		return 0, err
	}
	defer s.powTurn.Release(1)
	for first := uint64(0); ctx.Err() == nil; first += powStep {
		if nonce, found := poet.SolvePow(params, r.Node[:], r.Challenge[:], first, powStep); found {
			return nonce, nil
		}
	}
	return 0, context.Cause(ctx)
}

// ErrNoCertifier says that a PoET wants a proof of work.
var ErrNoCertifier = errors.New("poet does not advertise a certifier")

// Certify gets a certificate if the PoET has a certifier, and keeps it (spec 04
// §5.4).
func (s *Server) Certify(ctx context.Context, id wire.NodeID, show func(context.Context) (*rest.CertifyRequest, error)) error {
	info, err := s.Info(ctx)
	if err == nil {
		_, err = s.certificate(ctx, id, show, &info)
	}
	if err != nil {
		return fmt.Errorf("poet %s: certify: %w", s.Name(), err)
	}
	return nil
}

type certificateKey struct {
	id        wire.NodeID
	certifier string
}

func (s *Server) certificate(ctx context.Context, id wire.NodeID, show func(context.Context) (*rest.CertifyRequest, error), info *rest.Info) (poet.SignedCertificate, error) {
	at := info.Certifier
	if at == nil || at.URL == "" || show == nil {
		return poet.SignedCertificate{}, ErrNoCertifier
	}
	key := certificateKey{id, string(at.Pubkey)}
	s.mu.Lock()
	one := s.certify[key]
	if one == nil {
		one = new(shared[poet.SignedCertificate])
		s.certify[key] = one
	}
	s.mu.Unlock()
	// One request at a time for an identity; the table is what remembers.
	return one.get(ctx, s.kept(0), func(ctx context.Context) (poet.SignedCertificate, error) {
		if c, ok, err := s.deps.Certificates.Load(ctx, id, at.Pubkey); ok || err != nil {
			return c, err
		}
		request, err := show(ctx)
		if err != nil {
			return poet.SignedCertificate{}, err
		}
		c, err := poetclient.Certify(ctx, s.cfg.Certifier, *at, request)
		if err != nil {
			return c, err
		}
		return c, s.deps.Certificates.Save(ctx, id, at.Pubkey, c)
	})
}

func (s *Server) dropCertificate(ctx context.Context, id wire.NodeID, info *rest.Info) error {
	if info.Certifier == nil || info.Certifier.URL == "" {
		return nil
	}
	return s.deps.Certificates.Drop(ctx, id, info.Certifier.Pubkey)
}

// Jitter is a random delay between two bounds.
func Jitter(low, high time.Duration) time.Duration {
	if high <= low {
		return low
	}
	return low + rand.N(high-low)
}
