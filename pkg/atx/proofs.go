package atx

import (
	"errors"

	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/wire"
)

// PostCheck asks for the verification of a proof of space.
type PostCheck struct {
	Statement post.Statement
	Post      *wire.PostV1
	// All wants every index verified, instead of this node's subset (spec 04
	// §11.1).
	All bool
}

// PostFinding is the answer to a PostCheck.
type PostFinding struct {
	Valid bool
	// Index is the position of the index that fails, if BadIndex is set;
	// nothing else about a proof can be held against the prover.
	BadIndex bool
	Index    uint32
}

// Proofs verifies proofs of space, the expensive part of every ATX. An
// implementation may queue the work and let the caller wait. Errors are failures
// of ours, not verdicts.
type Proofs interface {
	Post(PostCheck) (PostFinding, error)
	// Nonce tells whether the label at the nonce is below the threshold for
	// the claimed size (spec 04 §12.3).
	Nonce(post.NonceClaim) (bool, error)
}

// SpaceProofs verifies with the CPU, on the calling goroutine.
type SpaceProofs struct {
	Verifier *post.Verifier
	// Seed chooses which indices this node looks at: its peer ID.
	Seed []byte
}

// Post verifies a proof.
func (s SpaceProofs) Post(c PostCheck) (PostFinding, error) {
	task := post.Task{
		Proof:     post.Proof{Nonce: c.Post.Nonce, Indices: c.Post.Indices, Pow: c.Post.Pow},
		Statement: c.Statement,
		Select:    post.All(),
	}
	if !c.All {
		task.Select = post.Subset(s.Verifier.Params().K3, s.Seed)
	}
	return postFinding(s.Verifier.Verify(&task))
}

func postFinding(err error) (PostFinding, error) {
	if err == nil {
		return PostFinding{Valid: true}, nil
	}
	if ordinal, ok := post.InvalidIndex(err); ok {
		return PostFinding{BadIndex: true, Index: uint32(ordinal)}, nil
	}
	if post.RuleOf(err) != "" {
		return PostFinding{}, nil
	}
	return PostFinding{}, err
}

// Nonce verifies a VRF nonce.
func (s SpaceProofs) Nonce(c post.NonceClaim) (bool, error) {
	err := s.Verifier.VerifyNonce(&c)
	if _, ok := errors.AsType[*post.RuleError](err); ok {
		return false, nil
	}
	return err == nil, err
}
