package beacon

import (
	"time"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Handle judges a gossip message of one of the four topics and takes in what it
// says (spec 05 §19).
func (p *Protocol) Handle(now time.Time, topic string, raw []byte) (Outcome, Effects) {
	out := ignored(RuleNotListening)
	if p.listening {
		out = p.handle(now, topic, raw)
	}
	return out, p.take()
}

func (p *Protocol) handle(now time.Time, topic string, raw []byte) Outcome {
	switch {
	case p.params.Rounds == 0:
		return ignored(RuleNotRunning)
	case topic == TopicProposal:
		return p.handleProposal(now, raw)
	case p.phase == Idle:
		return ignored(RuleNotRunning)
	case topic == TopicFirstVote:
		return p.handleFirstVote(now, raw)
	case topic == TopicVote:
		return p.handleVote(now, raw)
	case topic == TopicWeakCoin:
		return coinOutcome(p.coin.Handle(raw))
	}
	return ignored(RuleUnknownTopic)
}

// timely tells whether a proposal for the epoch may come now: during the epoch,
// or in the grace period before it.
func (p *Protocol) timely(now time.Time, epoch wire.EpochID) bool {
	current := p.params.epochAt(now)
	if epoch == current {
		return true
	}
	earliest := p.params.epochStart(current + 1).Add(-p.params.Grace)
	return epoch == current+1 && now.After(earliest)
}

// handleProposal follows spec 05 §15.4. Proposals that fail the thresholds are
// accepted all the same.
func (p *Protocol) handleProposal(now time.Time, raw []byte) Outcome {
	var m wire.BeaconProposalMessage
	if err := codec.Decode(raw, &m); err != nil {
		return malformed(err)
	}
	if !p.timely(now, m.EpochID) {
		return ignored(RuleUntimely)
	}
	s, err := p.state(m.EpochID)
	if err != nil {
		return failed(err)
	}
	if s == nil {
		return ignored(RuleNoWeight)
	}
	proposer := s.members[m.NodeID]
	if proposer == nil {
		return ignored(RuleNotActive)
	}
	nonce, ok, err := p.reader.Nonce(m.NodeID, m.EpochID)
	if err != nil {
		return failed(err)
	}
	if !ok {
		return ignored(RuleNoNonce)
	}
	if !p.verifier.VerifyVRF(m.NodeID, proposalInput(nonce, m.EpochID), m.VRFSignature) {
		return ignored(RuleBadProof)
	}
	if _, repeated := s.proposed[m.NodeID]; repeated {
		return ignored(RuleRepeated)
	}
	s.proposed[m.NodeID] = struct{}{}
	switch s.grade(now, p.params.Grace, proposer, &m.VRFSignature) {
	case Valid:
		s.addValid(m.Proposal())
	case PotentiallyValid:
		s.addPotential(m.Proposal())
	}
	return accepted()
}

// handleFirstVote follows spec 05 §16.1.
func (p *Protocol) handleFirstVote(now time.Time, raw []byte) Outcome {
	var m wire.FirstVotingMessage
	if err := codec.Decode(raw, &m); err != nil {
		return malformed(err)
	}
	if m.EpochID != p.params.epochAt(now) || p.round != 0 {
		return ignored(RuleUntimely)
	}
	if !p.verifier.VerifyFirstVote(m.SmesherID, m.SignedBytes(), m.Signature) {
		return ignored(RuleBadSignature)
	}
	s, v, out := p.voter(m.EpochID, m.SmesherID, 0)
	if v == nil {
		return out
	}
	s.firstVote(&m, v.voteWeight(), p.params.VotesLimit)
	return accepted()
}

// handleVote follows spec 05 §16.2.
func (p *Protocol) handleVote(now time.Time, raw []byte) Outcome {
	var m wire.FollowingVotingMessage
	if err := codec.Decode(raw, &m); err != nil {
		return malformed(err)
	}
	early := m.RoundID == p.round+1 && now.After(p.nextVote)
	if m.EpochID != p.params.epochAt(now) || m.RoundID != p.round && !early {
		return ignored(RuleUntimely)
	}
	if !p.verifier.VerifyVote(m.SmesherID, m.SignedBytes(), m.Signature) {
		return ignored(RuleBadSignature)
	}
	s, v, out := p.voter(m.EpochID, m.SmesherID, m.RoundID)
	if v == nil {
		return out
	}
	record := s.voters[m.SmesherID]
	if record == nil || !record.listed {
		return ignored(RuleNoFirstVote)
	}
	s.vote(record, m.VotesBitVector, v.voteWeight())
	return accepted()
}

// voter marks the identity as having voted in the round and looks it up; without
// a member the outcome says why.
func (p *Protocol) voter(epoch wire.EpochID, id wire.NodeID, round uint32) (*epochState, *member, Outcome) {
	s := p.epochs[epoch]
	if s == nil {
		return nil, nil, ignored(RuleNoState)
	}
	if !s.markVoted(id, round) {
		return nil, nil, ignored(RuleRepeated)
	}
	m := s.members[id]
	if m == nil {
		return nil, nil, ignored(RuleNotActive)
	}
	return s, m, Outcome{}
}
