package beacon

import (
	"time"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Grade is how good a proposal is (spec 05 §15.3).
type Grade uint8

// Grades.
const (
	Invalid Grade = iota
	PotentiallyValid
	Valid
)

func (g Grade) String() string {
	return [...]string{"invalid", "potentially_valid", "valid"}[min(g, Valid)]
}

// Timeliness is what a proposal's grade depends on. Bounds are inclusive.
type Timeliness struct {
	ATXDelay      time.Duration // receive time of the ATX after the epoch's start
	ProposalDelay time.Duration // receive time after the end of the proposal phase; 0 while it lasts
	Grace         time.Duration
	Loose, Strict bool // the proof passes the thresholds
}

// Grade judges a proposal of an honest identity.
func (t Timeliness) Grade() Grade {
	switch {
	case t.ATXDelay <= 0 && t.ProposalDelay <= 0 && t.Strict:
		return Valid
	case t.ATXDelay <= t.Grace && t.ProposalDelay <= t.Grace && t.Loose:
		return PotentiallyValid
	}
	return Invalid
}

// proposalDelay is how long after the phase a proposal came. An epoch without
// state counts as one whose phase ended long ago.
func (s *epochState) proposalDelay(now time.Time) time.Duration {
	switch {
	case s == nil:
		return 1<<63 - 1
	case s.phaseEnd.IsZero():
		return 0
	}
	return now.Sub(s.phaseEnd)
}

// grade judges a proof of a member that arrived now.
func (s *epochState) grade(now time.Time, grace time.Duration, m *member, proof *wire.VrfSignature) Grade {
	g := Timeliness{
		ATXDelay:      m.received.Sub(s.start),
		ProposalDelay: s.proposalDelay(now),
		Grace:         grace,
		Loose:         s.loose.Passes(proof),
		Strict:        s.strict.Passes(proof),
	}.Grade()
	if g == Valid && m.malicious {
		return PotentiallyValid
	}
	return g
}
