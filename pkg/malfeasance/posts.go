package malfeasance

import (
	"math"

	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/wire"
)

// SpaceProofs verifies with the CPU, on the calling goroutine.
type SpaceProofs struct{ Verifier *post.Verifier }

// IndexValid verifies a proof of space at one label.
func (s SpaceProofs) IndexValid(statement post.Statement, p *wire.PostV1, index uint32) (bool, error) {
	ordinal := int(min(uint64(index), math.MaxInt32))
	err := s.Verifier.Verify(&post.Task{
		Proof:     post.Proof{Nonce: p.Nonce, Indices: p.Indices, Pow: p.Pow},
		Statement: statement,
		Select:    post.One(ordinal),
	})
	if post.RuleOf(err) != "" {
		return false, nil
	}
	return err == nil, err
}
