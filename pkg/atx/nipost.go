package atx

import (
	"errors"
	"slices"
	"time"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Reasons for a NIPoST not to come about (spec 04 §5.5).
var (
	// ErrChallengeExpired: drop the challenge and begin anew.
	ErrChallengeExpired = errors.New("nipost challenge expired")
	// ErrPoetUnstable: keep everything and try again soon.
	ErrPoetUnstable = errors.New("poet is unstable")
	// ErrPoetMismatch: the identity is registered with PoETs that are not
	// configured, and with no other.
	ErrPoetMismatch = errors.New("registered poets are not configured")
)

// Progress is what an identity has done for its challenge.
type Progress struct {
	// Registered are the addresses of the PoETs that took the challenge.
	Registered []string
	// Tried: registration was attempted in this pass.
	Tried bool
	// ProofChosen: a PoET proof and the membership in it are stored.
	ProofChosen bool
	// PostDone: the proof of space on it is stored.
	PostDone bool
}

// Step is what to do next for a NIPoST. Exactly one of the lists is set, or
// Prove, or none if the NIPoST is complete.
type Step struct {
	// Register at these PoETs. The request says that the proof is of no use
	// after Deadline, and is given up at Abort.
	Register []string
	Deadline time.Time
	// Fetch proofs of these PoETs, once the round is over.
	Fetch []string
	// Prove space until Abort.
	Prove bool
	Abort time.Time
}

// NextStep decides how an identity goes on with the challenge for a publish
// epoch (spec 04 §5.8–5.10). configured are the PoETs' addresses.
func (c Calendar) NextStep(publish wire.EpochID, now time.Time, configured []string, p Progress) (Step, error) {
	usable, absent := split(configured, p.Registered)
	closed := now.After(c.RoundStart(publish))
	switch {
	case len(absent) == 0:
	case closed && len(p.Registered) == 0:
		return Step{}, ErrChallengeExpired
	case closed && len(usable) == 0:
		return Step{}, ErrPoetMismatch
	case closed:
	case !p.Tried:
		return Step{Register: absent, Deadline: c.ProofDeadline(publish), Abort: c.RoundStart(publish)}, nil
	case len(usable) == 0:
		return Step{}, ErrPoetUnstable
	}
	switch {
	case p.PostDone:
		return Step{}, nil
	case p.ProofChosen && now.After(c.PublishEnds(publish)):
		return Step{}, ErrChallengeExpired
	case p.ProofChosen:
		return Step{Prove: true, Abort: c.PublishEnds(publish)}, nil
	case now.After(c.ProofDeadline(publish)):
		return Step{}, ErrChallengeExpired
	case len(usable) == 0: // no PoETs are configured
		return Step{}, ErrPoetUnstable
	}
	return Step{Fetch: usable}, nil
}

// split tells configured PoETs with a registration from those without.
func split(configured, registered []string) (usable, absent []string) {
	for _, poet := range configured {
		if slices.Contains(registered, poet) {
			usable = append(usable, poet)
		} else {
			absent = append(absent, poet)
		}
	}
	return usable, absent
}

// FetchedProof is a PoET's proof that the identity is a member of.
type FetchedProof struct {
	Poet   string
	Leaves uint64
}

// BestProof is the one with the most leaves; of equal ones the first. Without
// any the PoETs are unstable (spec 04 §5.9.5).
func BestProof(fetched []FetchedProof) (FetchedProof, error) {
	if len(fetched) == 0 {
		return FetchedProof{}, ErrPoetUnstable
	}
	best := fetched[0]
	for _, f := range fetched[1:] {
		if f.Leaves > best.Leaves {
			best = f
		}
	}
	return best, nil
}

// ProofJitter bounds the random delay after a round's end before its proof is
// queried: percent of the cycle gap, not fractions of it (spec 04 §4).
func (c Calendar) ProofJitter() (low, high time.Duration) {
	return c.Poet.CycleGap / 5000, c.Poet.CycleGap / 2500
}
