package intake

import (
	"context"
	"errors"
	"time"

	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/services/activation/internal/cores"
	"github.com/smeshery/smeshery/services/activation/internal/measure"
)

// Space verifies proofs of space and VRF nonces on the calling goroutine. It is
// safe for concurrent use. Errors are failures of ours.
type Space interface {
	Posts(checks []atx.PostCheck) ([]atx.PostFinding, []error)
	Nonce(claim *post.NonceClaim) (bool, error)
}

// CPU is the Space that really verifies.
type CPU struct {
	Verifier *post.Verifier
	// Seed chooses which labels of others' proofs are looked at.
	Seed []byte
}

// Posts verifies proofs together, which fills the lanes of the processor.
func (c CPU) Posts(checks []atx.PostCheck) ([]atx.PostFinding, []error) {
	tasks := make([]post.Task, len(checks))
	for i := range checks {
		p := checks[i].Post
		tasks[i] = post.Task{
			Proof:     post.Proof{Nonce: p.Nonce, Indices: p.Indices, Pow: p.Pow},
			Statement: checks[i].Statement,
			Select:    post.All(),
		}
		if !checks[i].All {
			tasks[i].Select = post.Subset(c.Verifier.Params().K3, c.Seed)
		}
	}
	found, errs := make([]atx.PostFinding, len(checks)), make([]error, len(checks))
	for i, err := range c.Verifier.VerifyBatch(tasks) {
		found[i], errs[i] = findingOf(err)
	}
	return found, errs
}

func findingOf(err error) (atx.PostFinding, error) {
	if err == nil {
		return atx.PostFinding{Valid: true}, nil
	}
	if ordinal, ok := post.InvalidIndex(err); ok {
		return atx.PostFinding{BadIndex: true, Index: uint32(ordinal)}, nil
	}
	if post.RuleOf(err) != "" {
		return atx.PostFinding{}, nil
	}
	return atx.PostFinding{}, err
}

// Nonce verifies a VRF nonce.
func (c CPU) Nonce(claim *post.NonceClaim) (bool, error) {
	err := c.Verifier.VerifyNonce(claim)
	if _, ok := errors.AsType[*post.RuleError](err); ok {
		return false, nil
	}
	return err == nil, err
}

// chunk is how many proofs one core takes at a time.
const chunk = 16

// resolve verifies what was asked, and tells whether all of it is good.
func (in *Intake) resolve(ctx context.Context, q *questions) (bool, error) {
	if len(q.posts) == 0 && len(q.nonces) == 0 {
		return true, nil
	}
	start := time.Now()
	posts := make([]answer, len(q.posts))
	if err := cores.Spread(ctx, len(q.posts), chunk, func(from, to int) { in.posts(q.posts[from:to], posts[from:to]) }); err != nil {
		return false, err
	}
	middle := time.Now()
	in.metrics.Waited(measure.Post, middle.Sub(start))
	nonces := make([]answer, len(q.nonces))
	if err := cores.Spread(ctx, len(q.nonces), 1, func(i, _ int) { nonces[i] = in.nonce(&q.nonces[i]) }); err != nil {
		return false, err
	}
	in.metrics.Waited(measure.VRFNonce, time.Since(middle))
	all := q.learn(q.postKeys, posts)
	return q.learn(q.nonceKeys, nonces) && all, nil
}

func (in *Intake) posts(checks []atx.PostCheck, out []answer) {
	start := time.Now()
	found, errs := in.space.Posts(checks)
	for i := range checks {
		out[i] = answer{post: found[i], err: errs[i]}
	}
	in.metrics.Verified(measure.Post, len(checks), time.Since(start))
}

func (in *Intake) nonce(claim *post.NonceClaim) answer {
	start := time.Now()
	valid, err := in.space.Nonce(claim)
	in.metrics.Verified(measure.VRFNonce, 1, time.Since(start))
	return answer{post: atx.PostFinding{Valid: valid}, err: err}
}

// learn keeps answers, and tells whether all are good.
func (q *questions) learn(keys []key, answers []answer) bool {
	all := true
	for i, a := range answers {
		q.answers[keys[i]] = a
		if a.err == nil { // nobody else should inherit a failure
			q.memo.set(keys[i], a)
		}
		all = all && a.err == nil && a.post.Valid
	}
	return all
}
