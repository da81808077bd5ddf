package eligibility

import (
	"errors"
	"fmt"

	"github.com/smeshery/smeshery/pkg/wire"
)

// What an answer can fail with. None of them is the sender's fault by itself:
// hare gives such a claim the grade 0.
var (
	ErrZeroCommittee   = errors.New("committee has no seats")
	ErrZeroTotalWeight = errors.New("active set has no weight")
	ErrWeightTooLarge  = errors.New("weight is too large")
	ErrNotActive       = errors.New("identity is not in the active set")
	ErrEmptyActiveSet  = errors.New("empty active set")
	ErrNoBeacon        = errors.New("epoch has no beacon")
	// ErrNotFound is what a History answers for what it does not have.
	ErrNotFound = errors.New("not found")
)

// MissingATXError says that an active set has a member that is not indexed yet.
// It may be there at the next try.
type MissingATXError struct {
	Epoch wire.EpochID
	ATX   wire.ATXID
}

func (e *MissingATXError) Error() string {
	return fmt.Sprintf("active set of epoch %d has ATX %v, which is not indexed", e.Epoch, e.ATX)
}
