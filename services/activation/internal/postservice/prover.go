package postservice

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v1"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/wire"
)

// errStop ends the wait for a proof that nobody wants any more.
var errStop = errors.New("the proof is not wanted any more")

// errWrong says that a post-service cannot or did not prove.
var errWrong = errors.New("post-service")

// provers are the proofs that are waited for.
type provers struct {
	mu   sync.Mutex
	stop map[uint64]context.CancelCauseFunc
	all  map[uint64]bus.Beat
}

func (p *provers) add(t *bus.Task, cancel context.CancelCauseFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop[t.ID], p.all[t.ID] = cancel, bus.Beat{ID: t.ID, Attempt: t.Attempt}
}

func (p *provers) remove(t *bus.Task) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all[t.ID].Attempt == t.Attempt {
		delete(p.stop, t.ID)
		delete(p.all, t.ID)
	}
}

func (p *provers) beats() []bus.Beat {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]bus.Beat, 0, len(p.all))
	for _, b := range p.all {
		out = append(out, b)
	}
	return out
}

func (p *provers) end(ids []uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range ids {
		if cancel := p.stop[id]; cancel != nil {
			cancel(errStop)
		}
	}
}

// work takes tasks for connected identities until ctx ends.
func (s *Server) work(ctx context.Context, poll time.Duration) {
	running := &provers{stop: make(map[uint64]context.CancelCauseFunc), all: make(map[uint64]bus.Beat)}
	var group sync.WaitGroup
	defer group.Wait()
	group.Go(func() { s.beat(ctx, running) })
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-tick.C:
		}
		nodes := s.connected()
		if len(nodes) == 0 {
			continue
		}
		taken, err := s.deps.Queue.TakeRemote(ctx, s.holder, nodes)
		if err != nil && ctx.Err() == nil {
			s.deps.Log.Warn("no proofs were asked for", "err", err)
		}
		for _, t := range taken {
			work, cancel := context.WithCancelCause(ctx)
			running.add(&t, cancel)
			group.Go(func() {
				defer cancel(nil)
				defer running.remove(&t)
				s.do(work, &t)
			})
		}
	}
}

// beat keeps registrations and tasks.
func (s *Server) beat(ctx context.Context, running *provers) {
	tick := time.NewTicker(s.deps.Queue.Lost() / 5)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if nodes := s.connected(); len(nodes) > 0 {
			if err := s.deps.Queue.Seen(ctx, s.holder, nodes); err != nil && ctx.Err() == nil {
				s.deps.Log.Warn("registrations of post-services run out", "err", err)
			}
		}
		stop, err := s.deps.Queue.Beat(ctx, running.beats())
		if err != nil && ctx.Err() == nil {
			s.deps.Log.Warn("proofs are not waited for in the queue", "err", err)
		}
		running.end(stop)
	}
}

// do gets one proof and hands it in.
func (s *Server) do(ctx context.Context, t *bus.Task) {
	log := s.deps.Log.With("smesher", t.Node)
	if t.Left > 0 {
		var end context.CancelFunc
		ctx, end = context.WithTimeoutCause(ctx, time.Duration(t.Left)*time.Millisecond, errStop)
		defer end()
	}
	result, err := s.prove(ctx, t)
	finish := bus.FinishRequest{ID: t.ID, Attempt: t.Attempt, Outcome: bus.TaskDone}
	event := "done"
	switch {
	case err == nil:
		finish.Result = codec.MustEncode(result)
	case errors.Is(context.Cause(ctx), errStop):
		s.metrics.proofs.WithLabelValues("dropped").Inc()
		log.Warn("post-service did not prove in time")
		return
	case errors.Is(err, errWrong):
		event, finish.Outcome, finish.Text = "wrong", bus.TaskFailed, err.Error()
		log.Error("post-service did not prove", "err", err)
	default:
		event, finish.Outcome, finish.Text, finish.Delay = "gone", bus.TaskBack, err.Error(), 250
		log.Warn("post-service does not prove now", "err", err)
	}
	s.metrics.proofs.WithLabelValues(event).Inc()
	s.finish(context.WithoutCancel(ctx), finish)
}

// finish tries for a while; what the queue does not hear comes again.
func (s *Server) finish(ctx context.Context, r bus.FinishRequest) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for {
		err := s.deps.Queue.Finish(ctx, r)
		if err == nil {
			return
		}
		if errors.Is(err, bus.Conflict) || errors.Is(err, bus.BadRequest) || ctx.Err() != nil {
			s.deps.Log.Warn("a proof was not handed in", "err", err)
			return
		}
		pause(ctx, 200*time.Millisecond)
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// prove asks until there is a proof (spec 04 §6.3).
func (s *Server) prove(ctx context.Context, t *bus.Task) (*bus.PostProveResult, error) {
	var in bus.PostProveInput
	if err := codec.Decode(t.Input, &in); err != nil {
		return nil, fmt.Errorf("%w: input: %w", errWrong, err)
	}
	c := s.client(t.Node)
	if c == nil {
		return nil, errClosed
	}
	request := &pb.NodeRequest{Kind: &pb.NodeRequest_GenProof{GenProof: &pb.GenProofRequest{Challenge: in.Challenge[:]}}}
	for {
		r, err := c.ask(ctx, request)
		if err != nil {
			return nil, err
		}
		answer := r.GetGenProof()
		switch {
		case answer == nil:
			return nil, fmt.Errorf("%w: expected gen proof response, got %T", errWrong, r.GetKind())
		case answer.GetStatus() != pb.GenProofStatus_GEN_PROOF_STATUS_OK:
			return nil, fmt.Errorf("%w: error generating proof: status %d", errWrong, answer.GetStatus())
		case answer.GetProof() != nil:
			return s.check(t.Node, in.Challenge, answer)
		}
		pause(ctx, s.cfg.Repeat)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
}

// check verifies everything that a post-service hands in.
func (s *Server) check(id wire.NodeID, challenge wire.Hash32, r *pb.GenProofResponse) (*bus.PostProveResult, error) {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{errWrong}, args...)...)
	}
	if r.GetMetadata().GetMeta() == nil {
		return nil, wrong("proof without metadata")
	}
	if !bytes.Equal(r.GetMetadata().GetChallenge(), challenge[:]) {
		return nil, wrong("proof for challenge %x, not %x", r.GetMetadata().GetChallenge(), challenge[:])
	}
	data, err := spaceOf(r.GetMetadata().GetMeta())
	if err != nil {
		return nil, wrong("%w", err)
	}
	params := s.deps.Verifier.Params()
	switch {
	case data.Node != id:
		return nil, wrong("proof of %s, not of %s", data.Node, id)
	case data.Nonce == nil:
		return nil, wrong("its data has no VRF nonce")
	case data.LabelsPerUnit != params.LabelsPerUnit:
		return nil, wrong("its data has %d labels in a unit, not %d", data.LabelsPerUnit, params.LabelsPerUnit)
	}
	proof := r.GetProof()
	if len(proof.GetIndices()) > wire.MaxPostIndices {
		return nil, wrong("%d bytes of indices", len(proof.GetIndices()))
	}
	err = s.deps.Verifier.Verify(&post.Task{
		Proof:  post.Proof{Nonce: proof.GetNonce(), Indices: proof.GetIndices(), Pow: proof.GetPow()},
		Select: post.All(),
		Statement: post.Statement{
			NodeID: id, CommitmentATX: data.Commitment, Challenge: challenge, NumUnits: data.Units,
		},
	})
	if err == nil {
		err = s.deps.Verifier.VerifyNonce(&post.NonceClaim{
			NodeID: id, CommitmentATX: data.Commitment, NumUnits: data.Units, LabelsPerUnit: data.LabelsPerUnit, Nonce: *data.Nonce,
		})
	}
	if post.RuleOf(err) != "" {
		return nil, wrong("wrong proof: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err) // ours: asked again
	}
	return &bus.PostProveResult{
		Post: wire.PostV1{Nonce: proof.GetNonce(), Indices: proof.GetIndices(), Pow: proof.GetPow()}, Data: data,
	}, nil
}
