package tasks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/smeshing"
)

// ErrTask says that no worker could do what was asked for; the text tells why.
// Asking again tries again.
var ErrTask = errors.New("post work failed")

// Space makes of the queue what identities ask for: post-services that are
// connected come first, then our own workers.
type Space struct {
	Queue *Queue
	// Workers tells whether own workers make data for identities without a
	// post-service; otherwise those wait for one to connect.
	Workers bool
	// Now tells the time that deadlines are in.
	Now func() time.Time
}

var _ smeshing.Space = (*Space)(nil)

// Info implements smeshing.Space.
func (s *Space) Info(ctx context.Context, id wire.NodeID) (smeshing.SpaceInfo, bool, error) {
	return s.Queue.Info(ctx, id)
}

// Initialize implements smeshing.Space. Data that exists keeps the commitment
// that it was made with, which the answer tells.
func (s *Space) Initialize(ctx context.Context, setup smeshing.SpaceSetup) (smeshing.SpaceInfo, error) {
	input := codec.MustEncode(&bus.PostInitInput{Commitment: setup.Commitment, Units: setup.Units})
	for again := false; ; again = true {
		changed := s.Queue.waiting.signal()
		info, ok, remote, err := s.Queue.info(ctx, setup.Node)
		if err != nil || ok && (remote || again || info.Units == setup.Units || !s.Workers) {
			return info, err
		}
		if !s.Workers {
			if err := s.wait(ctx, changed); err != nil {
				return info, err
			}
			continue
		}
		if _, err := s.do(ctx, bus.PostInit, setup.Node, input, 0, again); err != nil {
			return info, err
		}
	}
}

// wait returns when something changed, or after a while.
func (s *Space) wait(ctx context.Context, changed <-chan struct{}) error {
	after := time.NewTimer(5 * s.Queue.cfg.Poll)
	defer after.Stop()
	select {
	case <-changed:
	case <-after.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// Prove implements smeshing.Space.
func (s *Space) Prove(ctx context.Context, id wire.NodeID, challenge wire.Hash32, deadline time.Time) (smeshing.SpaceProof, error) {
	left := deadline.Sub(s.Now())
	if left <= 0 {
		return smeshing.SpaceProof{}, fmt.Errorf("prove: %w: the deadline has passed", context.DeadlineExceeded)
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	raw, err := s.do(ctx, bus.PostProve, id, codec.MustEncode(&bus.PostProveInput{Challenge: challenge}), left, false)
	if err != nil {
		return smeshing.SpaceProof{}, err
	}
	var r bus.PostProveResult
	if err := codec.Decode(raw, &r); err != nil {
		return smeshing.SpaceProof{}, fmt.Errorf("stored proof: %w", err)
	}
	return smeshing.SpaceProof{Post: r.Post, Info: infoOf(&r.Data)}, nil
}

func infoOf(d *bus.SpaceData) smeshing.SpaceInfo {
	return smeshing.SpaceInfo{
		Node: d.Node, Commitment: d.Commitment, Units: d.Units, LabelsPerUnit: d.LabelsPerUnit, Nonce: d.Nonce,
	}
}

// do has a task done and returns its result.
func (s *Space) do(ctx context.Context, kind bus.TaskKind, id wire.NodeID, input []byte, left time.Duration, again bool) ([]byte, error) {
	r, err := s.Queue.Submit(ctx, kind, id, input, left, again)
	if err != nil {
		return nil, err
	}
	if r.State != bus.TaskCompleted {
		if r, err = s.Queue.Await(ctx, r.ID); err != nil {
			return nil, fmt.Errorf("wait for %s: %w", kind, err)
		}
	}
	if r.State != bus.TaskCompleted {
		return nil, fmt.Errorf("%s: %w: %s", kind, ErrTask, r.Text)
	}
	return r.Result, nil
}
