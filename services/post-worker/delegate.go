package postworker

import (
	"context"
	"fmt"
	"time"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/wire"
)

// delegated has the proofs of work of a proof solved by other workers, all groups
// of a pass at the same time. The proof is verified with its pow afterwards.
type delegated struct {
	s          *Service
	left       uint64
	start, end uint32 // nonces of the pass that begins
	asked      bool
}

// pass is told before a pass is solved.
func (d *delegated) pass(start, end uint32) { d.start, d.end, d.asked = start, end, false }

// Solve implements postdata.PowSolver.
func (d *delegated) Solve(ctx context.Context, task post.PowTask) (uint64, error) {
	if !d.asked {
		from, to := post.NonceGroups(d.start, d.end)
		for group := from; group < to; group++ {
			other := task
			other.Group = uint8(group)
			if _, err := d.submit(ctx, other); err != nil {
				return 0, err
			}
		}
		d.asked = true
	}
	for {
		r, err := d.submit(ctx, task)
		switch {
		case err != nil:
			return 0, err
		case r.State == bus.TaskRefused:
			return 0, fmt.Errorf("k2pow of another worker: %s", r.Text)
		case r.State == bus.TaskCompleted:
			var out bus.K2PowResult
			if err := codec.Decode(r.Result, &out); err != nil {
				return 0, fmt.Errorf("k2pow of another worker: %w", err)
			}
			return out.Pow, nil
		}
		sleep(ctx, min(d.s.cfg.Poll, time.Second))
		if err := ctx.Err(); err != nil {
			return 0, err
		}
	}
}

// submit asks for a solution, or for how it goes: a repeat is the same task.
func (d *delegated) submit(ctx context.Context, task post.PowTask) (bus.TaskReply, error) {
	left := d.left
	if left == 0 {
		left = uint64((24 * time.Hour).Milliseconds())
	}
	return bus.SubmitTask().Call(ctx, d.s.deps.Bus, bus.SubmitRequest{
		Kind: bus.K2Pow, Node: task.NodeID, Left: left,
		Input: codec.MustEncode(&bus.K2PowInput{
			Group: task.Group, Challenge: task.Challenge, Difficulty: wire.Hash32(task.Difficulty),
		}),
	})
}
