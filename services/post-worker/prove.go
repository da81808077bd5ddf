package postworker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/post/postdata"
	"github.com/smeshery/smeshery/pkg/post/postdata/nice"
	"github.com/smeshery/smeshery/pkg/wire"
)

// errBadProof says that labels on disk are not what they should be.
var errBadProof = errors.New("the proof does not verify: labels on disk are wrong, or made with another scrypt cost")

// prove makes a proof and looks at it before it is handed in.
func (s *Service) prove(ctx context.Context, j *job) (codec.Coded, error) {
	var in bus.PostProveInput
	if err := codec.Decode(j.task.Input, &in); err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	dir := s.disk.of(j.task.Node)
	data, _, err := s.disk.data(dir)
	switch {
	case err != nil:
		return nil, errors.Join(s.proveTrouble(dir, err), s.announce(ctx))
	case data.Node != j.task.Node:
		return nil, fmt.Errorf("%w: %s holds data of %s, not of %s", ErrOtherIdentity, dir, data.Node, j.task.Node)
	case !data.Complete:
		// The queue believes otherwise.
		return nil, errors.Join(fmt.Errorf("prove %s: the data is not complete", dir), s.announce(ctx))
	}
	proof, err := s.proof(ctx, j, dir, in.Challenge, data.Units)
	if err != nil {
		return nil, s.proveTrouble(dir, err)
	}
	task := &post.Task{
		// A pow of our own needs no second look.
		Proof: *proof, Select: post.All(), PowVerified: !s.cfg.DelegatePow,
		Statement: post.Statement{
			NodeID: data.Node, CommitmentATX: data.Commitment, Challenge: in.Challenge, NumUnits: data.Units,
		},
	}
	if err := s.verifier.Verify(task); err != nil {
		return nil, fmt.Errorf("prove %s: %w: %w", dir, errBadProof, err)
	}
	return &bus.PostProveResult{
		Post: wire.PostV1{Nonce: proof.Nonce, Indices: proof.Indices, Pow: proof.Pow}, Data: data,
	}, nil
}

func (s *Service) proof(ctx context.Context, j *job, dir string, challenge wire.Hash32, units uint32) (*post.Proof, error) {
	labels, _ := post.NumLabels(units, s.params.LabelsPerUnit)
	j.total.Store(labels * post.LabelSize)
	var solver postdata.PowSolver = s.pow
	others := &delegated{s: s, left: j.task.Left}
	if s.cfg.DelegatePow {
		solver = others
	}
	proof, _, err := postdata.Prove(ctx, dir, challenge, postdata.ProveConfig{
		Params: s.params, Nonces: s.nonces(units), Threads: s.cfg.Threads, Solver: solver, Nice: s.nice(nice.Proving),
		Pass: func(start, end uint32) {
			j.done.Store(0)
			others.pass(start, end)
		},
		Scanned: func(bytes uint64) {
			j.done.Add(bytes)
			s.metrics.scanned.Add(float64(bytes))
		},
	})
	return proof, err
}

// proveTrouble tells errors that pass from those that stay.
func (s *Service) proveTrouble(dir string, err error) error {
	var altered *postdata.AlteredError
	var mismatch *postdata.MismatchError
	switch {
	case errors.As(err, &altered), errors.As(err, &mismatch), errors.Is(err, post.ErrMetadata),
		errors.Is(err, postdata.ErrMetadataMissing), errors.Is(err, postdata.ErrNoProof), post.RuleOf(err) != "":
		return fmt.Errorf("prove %s: %w", dir, err)
	}
	return &setback{error: fmt.Errorf("prove %s: %w", dir, err), after: min(s.cfg.Retry, 5*time.Second)}
}

// solve finds a proof of work for a prover elsewhere.
func (s *Service) solve(ctx context.Context, j *job) (codec.Coded, error) {
	var in bus.K2PowInput
	if err := codec.Decode(j.task.Input, &in); err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	pow, err := s.pow.Solve(ctx, post.PowTask{
		Group: in.Group, Challenge: in.Challenge, NodeID: j.task.Node, Difficulty: in.Difficulty,
	})
	if err != nil {
		return nil, &setback{error: fmt.Errorf("k2pow: %w", err), after: min(s.cfg.Retry, 5*time.Second)}
	}
	return &bus.K2PowResult{Pow: pow}, nil
}

// verify looks at every index of a proof.
func (s *Service) verify(j *job) (codec.Coded, error) {
	var in bus.PostVerifyInput
	if err := codec.Decode(j.task.Input, &in); err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	err := s.verifier.Verify(&post.Task{
		Proof: post.Proof{Nonce: in.Post.Nonce, Indices: in.Post.Indices, Pow: in.Post.Pow}, Select: post.All(),
		Statement: post.Statement{
			NodeID: j.task.Node, CommitmentATX: in.Commitment, Challenge: in.Challenge, NumUnits: in.Units,
		},
	})
	if err == nil {
		return &bus.PostVerifyResult{}, nil
	}
	if rule := post.RuleOf(err); rule != "" {
		ordinal, _ := post.InvalidIndex(err)
		return &bus.PostVerifyResult{Rule: string(rule), Ordinal: uint32(ordinal)}, nil
	}
	return nil, &setback{error: fmt.Errorf("verify: %w", err), after: min(s.cfg.Retry, 5*time.Second)}
}
