package poet

import "time"

// Schedule says when rounds open, execute and end (spec 03 §2). All PoETs of a
// network share it.
type Schedule struct {
	Genesis       time.Time
	EpochDuration time.Duration
	PhaseShift    time.Duration
	CycleGap      time.Duration
}

// RoundStart is when registration for a round closes and its work starts.
func (s Schedule) RoundStart(round uint32) time.Time {
	return s.Genesis.Add(s.PhaseShift).Add(time.Duration(round) * s.EpochDuration)
}

// RoundEnd is when the work of a round ends.
func (s Schedule) RoundEnd(round uint32) time.Time {
	return s.RoundStart(round).Add(s.RoundDuration())
}

// RoundDuration is the time that a round works.
func (s Schedule) RoundDuration() time.Duration { return s.EpochDuration - s.CycleGap }

// OpenRound is the round that takes registrations at an instant. At the start
// of a round the next one is open already.
func (s Schedule) OpenRound(at time.Time) uint32 {
	since := at.Sub(s.Genesis)
	if since < s.PhaseShift {
		return 0
	}
	return uint32((since-s.PhaseShift)/s.EpochDuration) + 1
}
