package intake

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/smeshery/smeshery/pkg/atx"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/activation/internal/db"
	"github.com/smeshery/smeshery/services/activation/internal/measure"
)

// Trust says what VerifyChains takes for granted.
type Trust struct {
	// Before: ATXs that were received before are assumed valid; the zero
	// time assumes nothing.
	Before time.Time
	// Identity is one whose ATXs are, such as our own.
	Identity wire.NodeID
}

// VerifyChains verifies all labels of ATXs and of what they stand on (spec 04
// §11.3), and stores what it finds out, so that nothing is verified twice. It
// answers at the indices of ids, up to the first that is valid if first is set.
func (in *Intake) VerifyChains(ctx context.Context, ids []wire.ATXID, trust Trust, first bool) ([]bool, error) {
	view := newView(ctx, in.db, in.own, len(ids))
	chain := &atx.Chain{Rules: in.rules, State: view, Proofs: &inline{in, ctx}, Trusted: trust.Identity}
	if !trust.Before.IsZero() {
		chain.AssumeBefore = trust.Before.UnixNano()
	}
	valid := make([]bool, len(ids))
	var err error
	for i, id := range ids {
		if valid[i], err = chain.Verify(id); err != nil || valid[i] && first {
			break
		}
	}
	// What was found out stays, even if time ran out.
	mark := db.MarkValidity(context.WithoutCancel(ctx), in.db, chain.Marks)
	if err = errors.Join(err, mark); err != nil {
		return valid, fmt.Errorf("verify chains: %w", err)
	}
	return valid, nil
}

// inline verifies at once, until its context ends.
type inline struct {
	*Intake
	ctx context.Context
}

// Post implements atx.Proofs.
func (p *inline) Post(c atx.PostCheck) (atx.PostFinding, error) {
	if err := p.ctx.Err(); err != nil {
		return atx.PostFinding{}, err
	}
	start := time.Now()
	found, errs := p.space.Posts([]atx.PostCheck{c})
	p.metrics.Verified(measure.Post, 1, time.Since(start))
	return found[0], errs[0]
}

// Nonce implements atx.Proofs.
func (p *inline) Nonce(c post.NonceClaim) (bool, error) {
	a := p.nonce(&c)
	return a.post.Valid, a.err
}

// Posts implements atx.ChainReader, for ATXs that are stored.
func (v *View) Posts(id wire.ATXID) (posts []atx.Post, err error) {
	l := db.NewLoader()
	l.Posts([]wire.ATXID{id}, func(_ wire.ATXID, p atx.Post) { posts = append(posts, p) })
	_, err = l.Run(v.ctx, v.db)
	return posts, err
}
