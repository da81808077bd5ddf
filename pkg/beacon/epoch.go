package beacon

import (
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/smeshery/smeshery/pkg/wire"
)

// maxStrangers bounds how many voters are remembered that have no ATX in the
// epoch: keys cost nothing, so their number is in the hands of peers.
const maxStrangers = 1 << 16

// member is an identity with an ATX for the epoch.
type member struct {
	atx       wire.ATXID
	weight    uint64
	units     uint32
	received  time.Time
	malicious bool
}

// voteWeight is what the member's votes count.
func (m *member) voteWeight() uint64 {
	if m.malicious {
		return 0
	}
	return m.weight
}

// voter is what an identity has said in the epoch.
type voter struct {
	rounds  []uint64 // bit r is set when it voted in round r
	first   []Proposal
	listed  bool // it has a first vote
	repeats bool // first lists some proposal twice
}

// vote marks a round and tells whether it is new.
func (v *voter) vote(round uint32) bool {
	word, bit := int(round/64), uint64(1)<<(round%64)
	for len(v.rounds) <= word {
		v.rounds = append(v.rounds, 0)
	}
	fresh := v.rounds[word]&bit == 0
	v.rounds[word] |= bit
	return fresh
}

// participant is a local identity that takes part.
type participant struct {
	id    wire.NodeID
	nonce uint64
}

// epochState is the state of one epoch (spec 05 §13). Weight and thresholds are
// frozen when it is made.
type epochState struct {
	epoch    wire.EpochID
	start    time.Time
	weight   uint64
	loose    Threshold // for proposals and ATXs a little late
	strict   Threshold
	members  map[wire.NodeID]*member
	locals   []participant
	phaseEnd time.Time // zero while proposals are in time

	valid     proposalSet
	potential proposalSet
	margins   map[Proposal]*Margin
	proposed  map[wire.NodeID]struct{}
	voters    map[wire.NodeID]*voter
	strangers int
}

// newEpochState counts the ATXs that target the epoch. It returns nil if they
// have no weight.
func (p *Protocol) newEpochState(epoch wire.EpochID) (*epochState, error) {
	s := &epochState{
		epoch: epoch, start: p.params.epochStart(epoch),
		members: map[wire.NodeID]*member{}, valid: proposalSet{}, potential: proposalSet{},
		margins: map[Proposal]*Margin{}, proposed: map[wire.NodeID]struct{}{}, voters: map[wire.NodeID]*voter{},
	}
	atxs, err := p.reader.ATXs(epoch)
	if err != nil {
		return nil, fmt.Errorf("atxs of epoch %s: %w", epoch, err)
	}
	var early, late int
	for i := range atxs {
		a := &atxs[i]
		if !a.Malicious {
			s.weight += a.Weight
		}
		if _, known := s.members[a.Node]; known {
			continue
		}
		s.members[a.Node] = &member{a.ID, a.Weight, a.Units, a.Received, a.Malicious}
		switch {
		case a.Received.Before(s.start.Add(-p.params.Grace)):
			early++
		case a.Received.Before(s.start):
			late++
		}
		if err := p.enlist(s, a.Node); err != nil {
			return nil, err
		}
	}
	if s.weight == 0 {
		return nil, nil
	}
	s.loose = NewThreshold(p.params.Kappa, p.params.Q, early)
	s.strict = NewThreshold(p.params.Kappa, p.params.Q, early+late)
	return s, nil
}

// enlist makes a local identity a participant if it has a nonce.
func (p *Protocol) enlist(s *epochState, id wire.NodeID) error {
	if _, local := p.locals[id]; !local {
		return nil
	}
	nonce, ok, err := p.reader.Nonce(id, s.epoch)
	if err != nil {
		return fmt.Errorf("nonce of %s: %w", id, err)
	}
	if ok {
		s.locals = append(s.locals, participant{id, nonce})
	}
	return nil
}

// markVoted tells whether the identity speaks for the first time in the round.
// It comes before the question whether the identity is active (spec 05 §16.1).
func (s *epochState) markVoted(id wire.NodeID, round uint32) bool {
	v := s.voters[id]
	if v == nil {
		if _, known := s.members[id]; !known {
			if s.strangers >= maxStrangers {
				return true
			}
			s.strangers++
		}
		v = &voter{}
		s.voters[id] = v
	}
	return v.vote(round)
}

// addValid and addPotential take a proposal in. Votes counted for the value so
// far are lost, which is what the network does (spec 05 §15.4).
func (s *epochState) addValid(p Proposal) { s.valid[p] = struct{}{}; s.margins[p] = new(Margin) }
func (s *epochState) addPotential(p Proposal) {
	s.potential[p] = struct{}{}
	s.margins[p] = new(Margin)
}

// support and oppose count a vote; values that nobody proposed to us are skipped.
func (s *epochState) support(p Proposal, weight uint64) {
	if m := s.margins[p]; m != nil {
		m.add(weight)
	}
}

func (s *epochState) oppose(p Proposal, weight uint64) {
	if m := s.margins[p]; m != nil {
		m.sub(weight)
	}
}

// firstVote counts a first vote. All of it counts, but only its start is the
// basis of the voter's bit vectors.
func (s *epochState) firstVote(m *wire.FirstVotingMessage, weight uint64, limit int) {
	for _, p := range m.ValidProposals {
		s.support(p, weight)
	}
	for _, p := range m.PotentiallyValidProposals {
		s.oppose(p, weight)
	}
	list := slices.Concat(m.ValidProposals, m.PotentiallyValidProposals)
	list = slices.Clip(list[:min(limit, len(list))])
	v := s.voters[m.SmesherID]
	v.first, v.listed = list, true
	v.repeats = len(newSet(list)) != len(list)
}

// vote counts a bit vector over the voter's first-round list. A value listed
// twice counts once on each side.
func (s *epochState) vote(v *voter, vector []byte, weight uint64) {
	if v.repeats {
		support, against := DecodeVotes(v.first, vector)
		for p := range newSet(support) {
			s.support(p, weight)
		}
		for p := range newSet(against) {
			s.oppose(p, weight)
		}
		return
	}
	for i, p := range v.first {
		if votesFor(vector, i) {
			s.support(p, weight)
		} else {
			s.oppose(p, weight)
		}
	}
}

func (s *epochState) tally(theta *big.Rat) Opinion {
	return tally(s.margins, VotingThreshold(theta, s.weight))
}
