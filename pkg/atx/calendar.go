package atx

import (
	"time"

	"github.com/smeshery/smeshery/pkg/layerclock"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Calendar knows the instants in the life of an identity (spec 04 §4).
type Calendar struct {
	Clock          layerclock.Clock
	LayersPerEpoch uint32
	Poet           network.PoetParams
}

// CalendarOf takes the calendar out of a network's numbers.
func CalendarOf(n *network.Params) Calendar {
	return Calendar{
		Clock:          layerclock.Clock{Genesis: n.Genesis.Time, LayerDuration: n.LayerDuration},
		LayersPerEpoch: n.LayersPerEpoch,
		Poet:           n.Poet,
	}
}

// EpochStart is the start of an epoch's first layer.
func (c Calendar) EpochStart(e wire.EpochID) time.Time {
	return c.Clock.Start(e.FirstLayer(c.LayersPerEpoch))
}

// EpochAt is the epoch that holds t.
func (c Calendar) EpochAt(t time.Time) wire.EpochID {
	return c.Clock.LayerAt(t).Epoch(c.LayersPerEpoch)
}

// roundStart is when the round begins for which identities register in epoch e.
func (c Calendar) roundStart(e wire.EpochID) time.Time {
	return c.EpochStart(e).Add(c.Poet.PhaseShift)
}

// RoundStart closes registration for ATXs that are published in an epoch. The
// publish epoch is not 0: nothing registers before genesis.
func (c Calendar) RoundStart(publish wire.EpochID) time.Time { return c.roundStart(publish - 1) }

// WindowOpens is when registration for a publish epoch begins.
func (c Calendar) WindowOpens(publish wire.EpochID) time.Time {
	return c.RoundStart(publish).Add(-c.Poet.GracePeriod)
}

// SelectionEnds is when the search for a positioning ATX must be over; false
// if nothing bounds it.
func (c Calendar) SelectionEnds(publish wire.EpochID) (time.Time, bool) {
	limit := c.Poet.PositioningATXSelectionTimeout
	return c.WindowOpens(publish).Add(limit), limit > 0
}

// RoundEnds is when the round's proof begins to be made public.
func (c Calendar) RoundEnds(publish wire.EpochID) time.Time {
	return c.roundStart(publish).Add(-c.Poet.CycleGap)
}

// ProofDeadline is the last moment to begin fetching a PoET's proof.
func (c Calendar) ProofDeadline(publish wire.EpochID) time.Time {
	return c.EpochStart(publish + 1).Add(-c.Poet.CycleGap)
}

// PublishEnds is when an ATX has lost its use.
func (c Calendar) PublishEnds(publish wire.EpochID) time.Time { return c.EpochStart(publish + 1) }

// Plan is when an identity builds its next challenge, and for which epoch.
type Plan struct {
	// Registration is the epoch in which the identity registers.
	Registration wire.EpochID
	Publish      wire.EpochID
	// Wait tells to do nothing before WaitUntil.
	Wait      bool
	WaitUntil time.Time
}

// PlanChallenge is for an identity whose newest ATX was published in the epoch
// previous, or is nil (spec 04 §5.6.2–5).
func (c Calendar) PlanChallenge(now time.Time, previous *wire.EpochID) Plan {
	at := c.EpochAt(now)
	if previous != nil {
		at = max(at, *previous)
	}
	if !now.Before(c.roundStart(at)) {
		at++
	}
	plan := Plan{Registration: at, Publish: at + 1, WaitUntil: c.WindowOpens(at + 1)}
	plan.Wait = now.Before(plan.WaitUntil)
	return plan
}

// NextSequence counts the ancestors of the ATX that follows previous, or of an
// initial one if that is nil.
func NextSequence(previous *Row) uint64 {
	if previous == nil {
		return 0
	}
	return previous.Sequence + 1
}
