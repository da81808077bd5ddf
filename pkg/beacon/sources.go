package beacon

import (
	"fmt"

	"github.com/smeshery/smeshery/pkg/fixed"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Beacon is the epoch's beacon, if it is known (spec 05 §18.3).
func (p *Protocol) Beacon(epoch wire.EpochID) (wire.Beacon, bool, error) {
	if b, ok := p.beacons[epoch]; ok {
		return b, true, nil
	}
	b, ok, err := p.reader.Beacon(epoch)
	if err != nil {
		return b, false, fmt.Errorf("beacon of epoch %s: %w", epoch, err)
	}
	return b, ok, nil
}

// ConflictError says that an epoch has another beacon already, which stays.
type ConflictError struct {
	Epoch      wire.EpochID
	Known, New wire.Beacon
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("epoch %s has beacon %s, not %s", e.Epoch, e.Known, e.New)
}

// learn takes a beacon that was computed or read off ballots.
func (p *Protocol) learn(epoch wire.EpochID, beacon wire.Beacon) error {
	if known, ok := p.beacons[epoch]; ok {
		if known == beacon {
			return nil
		}
		return &ConflictError{epoch, known, beacon}
	}
	p.store(Record{Epoch: epoch, Beacon: beacon})
	return nil
}

// Fallback takes a beacon from a bootstrap update, which wins over any other; an
// all-zero one means none (spec 05 §18.4).
func (p *Protocol) Fallback(epoch wire.EpochID, beacon wire.Beacon) Effects {
	if beacon != (wire.Beacon{}) {
		p.store(Record{Epoch: epoch, Beacon: beacon, Overwrite: true})
	}
	return p.take()
}

func (p *Protocol) store(r Record) {
	p.beacons[r.Epoch] = r.Beacon
	p.out.Persist = append(p.out.Persist, r)
	p.out.Events = append(p.out.Events, r)
}

// BallotReport is one valid ballot's word for a beacon (spec 05 §18.2).
type BallotReport struct {
	Ballot wire.BallotID
	Beacon wire.Beacon
	Proofs uint32    // eligibility proofs it carries
	Per    fixed.Num // weight of one eligibility, from EligibilityWeight
}

// EligibilityWeight is the weight of one eligibility of an identity that has so
// many in the epoch: its ATX's weight divided with the protocol's rounding.
// eligibilities is not 0.
func EligibilityWeight(atxWeight uint64, eligibilities uint32) fixed.Num {
	return new(fixed.Calc).DivUint64(atxWeight, uint64(eligibilities))
}

// ballotTally gathers the reports for an epoch; sides are in order of arrival.
type ballotTally struct{ sides []*ballotSide }

type ballotSide struct {
	beacon  wire.Beacon
	ballots map[wire.BallotID]struct{}
	weight  fixed.Num
	units   int
}

func (t *ballotTally) add(r BallotReport) {
	var side *ballotSide
	for _, s := range t.sides {
		if s.beacon == r.Beacon {
			side = s
		}
	}
	if side == nil {
		side = &ballotSide{beacon: r.Beacon, ballots: map[wire.BallotID]struct{}{}}
		t.sides = append(t.sides, side)
	}
	if _, known := side.ballots[r.Ballot]; known {
		return
	}
	var c fixed.Calc
	weight := c.Add(side.weight, c.Mul(r.Per, fixed.Int(int64(r.Proofs))))
	if c.Err() != nil {
		return // more than the weight of any network
	}
	side.ballots[r.Ballot] = struct{}{}
	side.weight = weight
	side.units += int(r.Proofs)
}

// choose is the majority's beacon, else the heaviest; of equals the one heard
// first. ok is false while too few eligibilities were reported.
func (t *ballotTally) choose(enough int) (beacon wire.Beacon, ok bool) {
	var c fixed.Calc
	var total, best fixed.Num
	var units int
	for _, s := range t.sides {
		total = c.Add(total, s.weight)
		units += s.units
	}
	half := c.Div(total, fixed.Int(2))
	if units < enough || c.Err() != nil {
		return beacon, false
	}
	for _, s := range t.sides {
		if s.weight.Greater(half) {
			return s.beacon, s.beacon != wire.Beacon{}
		}
		if s.weight.Greater(best) {
			beacon, best = s.beacon, s.weight
		}
	}
	return beacon, beacon != wire.Beacon{}
}

// ReportBallot takes the word of a ballot of the epoch that passed validation.
func (p *Protocol) ReportBallot(epoch wire.EpochID, r BallotReport) (Effects, error) {
	t := p.ballots[epoch]
	if t == nil {
		t = &ballotTally{}
		p.ballots[epoch] = t
	}
	t.add(r)
	_, known, err := p.Beacon(epoch)
	if err != nil || known {
		return p.take(), err
	}
	if beacon, ok := t.choose(p.params.WeightUnits); ok {
		err = p.learn(epoch, beacon)
	}
	return p.take(), err
}
