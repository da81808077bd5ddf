package beacon

import (
	"fmt"
	"slices"
	"time"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Tick moves the protocol to now: it ends the phase whose time is over and starts
// the epoch that has begun. An error is a failure of ours; the protocol then sits
// the epoch out.
func (p *Protocol) Tick(now time.Time) (Effects, error) {
	if p.params.Rounds == 0 {
		return p.take(), nil
	}
	var err error
	if p.phase != Idle && !now.Before(p.deadline) {
		err = p.endPhase(now)
	}
	if epoch := p.params.epochAt(now); epoch > p.seen {
		p.seen = epoch
		if e := p.startEpoch(now, epoch); err == nil {
			err = e
		}
	}
	return p.take(), err
}

// startEpoch runs the procedure of spec 05 §12.
func (p *Protocol) startEpoch(now time.Time, epoch wire.EpochID) error {
	first := epoch.FirstLayer(p.params.LayersPerEpoch)
	if p.phase != Idle {
		return nil
	}
	if p.params.Clock.LayerAt(now) != first || first <= p.params.EffectiveGenesis || !p.synced {
		p.forget(epoch)
		return nil
	}
	s, err := p.state(epoch)
	if s == nil {
		p.forget(epoch)
		return err
	}
	p.becomeProposing(now, s)
	return nil
}

func (p *Protocol) becomeProposing(now time.Time, s *epochState) {
	p.running, p.phase, p.round = s, Proposing, 0
	p.nextVote, p.opinion = time.Time{}, Opinion{}
	p.deadline = now.Add(p.params.ProposalDuration)
	p.coin.StartEpoch(s.epoch)
	for _, local := range s.locals {
		if !s.members[local.id].malicious {
			p.sign(SignProposal, local.id, proposalInput(local.nonce, s.epoch))
		}
	}
}

// endPhase leads from one phase to the next.
func (p *Protocol) endPhase(now time.Time) error {
	switch p.phase {
	case Proposing:
		p.running.phaseEnd = now
		p.becomeFirstVoting(now)
	case FirstVoting:
		p.opinion = p.running.tally(p.params.Theta)
		p.opinion.Undecided = nil
		return p.nextRound(now)
	case Voting:
		p.opinion = p.running.tally(p.params.Theta)
		p.becomeTossing(now)
	case Tossing:
		coin, ok := p.coin.FinishRound()
		if !ok {
			p.becomeIdle()
			return nil
		}
		p.opinion = p.opinion.decide(coin)
		return p.nextRound(now)
	}
	return nil
}

func (p *Protocol) nextRound(now time.Time) error {
	if p.round+1 < p.params.Rounds {
		p.becomeVoting(now)
		return nil
	}
	target := p.running.epoch + 1
	beacon, ok := p.opinion.beacon()
	p.becomeIdle()
	if !ok {
		return nil
	}
	return p.learn(target, beacon)
}

func (p *Protocol) becomeFirstVoting(now time.Time) {
	p.phase = FirstVoting
	p.deadline = now.Add(p.params.FirstVotingRound)
	p.nextVote = p.deadline.Add(-p.params.Grace)
	body := wire.FirstVotingMessageBody{
		EpochID:                   p.running.epoch,
		ValidProposals:            listed(p.running.valid),
		PotentiallyValidProposals: listed(p.running.potential),
	}
	raw := codec.MustEncode(&body)
	for _, local := range p.running.locals {
		p.sign(SignFirstVote, local.id, raw)
	}
}

// listed is the set in order, cut to what a message can carry: more than that
// makes upstream nodes fail (spec 05 §21.8).
func listed(set proposalSet) []Proposal {
	list := set.sorted()
	return list[:min(len(list), wire.MaxBeaconProposals)]
}

func (p *Protocol) becomeVoting(now time.Time) {
	p.phase = Voting
	p.round++
	p.deadline = now.Add(p.params.VotingRound)
	p.nextVote = p.deadline.Add(p.params.WeakCoinRound - p.params.Grace)
	for _, local := range p.running.locals {
		v := p.running.voters[local.id]
		if v == nil || !v.listed {
			continue
		}
		body := wire.FollowingVotingMessageBody{
			EpochID: p.running.epoch, RoundID: p.round, VotesBitVector: EncodeVotes(v.first, p.opinion.Support),
		}
		p.sign(SignVote, local.id, codec.MustEncode(&body))
	}
}

func (p *Protocol) becomeTossing(now time.Time) {
	p.phase = Tossing
	p.deadline = now.Add(p.params.WeakCoinRound)
	p.coin.StartRound(p.round)
	for _, local := range p.running.locals {
		units := coinSource{p}.Units(local.id, p.running.epoch)
		if units > 0 {
			p.sign(SignToss, local.id, tossInputs(local.nonce, p.running.epoch, p.round, units)...)
		}
	}
}

func (p *Protocol) becomeIdle() {
	epoch := p.running.epoch
	p.phase, p.running = Idle, nil
	p.coin.FinishEpoch()
	p.forget(epoch)
}

// forget drops what an epoch leaves behind (spec 05 §12 step 5).
func (p *Protocol) forget(epoch wire.EpochID) {
	old := func(e wire.EpochID) bool { return epoch > 3 && e <= epoch-3 }
	for e := range p.epochs {
		if e <= epoch {
			delete(p.epochs, e)
		}
	}
	for e := range p.beacons {
		if old(e) {
			delete(p.beacons, e)
		}
	}
	for e := range p.ballots {
		if old(e) {
			delete(p.ballots, e)
		}
	}
}

// Answer takes the signatures that a Request asked for, in the order of its
// messages. What comes too late is dropped.
func (p *Protocol) Answer(now time.Time, r Request, signatures [][]byte) (Effects, error) {
	if p.phase == Idle || r.Epoch != p.running.epoch || r.Round != p.round || len(signatures) != len(r.Messages) {
		return p.take(), nil
	}
	message, err := p.assemble(now, r, signatures)
	if err == nil && message.Bytes != nil {
		if p.handle(now, message.Topic, message.Bytes).Verdict == Accept {
			p.out.Publish = append(p.out.Publish, message)
		}
	}
	return p.take(), err
}

// assemble puts a message together; without bytes there is nothing to send.
func (p *Protocol) assemble(now time.Time, r Request, signatures [][]byte) (Message, error) {
	for _, sig := range signatures {
		if len(sig) != r.Kind.size() {
			return Message{}, fmt.Errorf("answer to %d: signature of %d bytes", r.Kind, len(sig))
		}
	}
	switch r.Kind {
	case SignProposal:
		return p.assembleProposal(now, r.Node, wire.VrfSignature(signatures[0])), nil
	case SignFirstVote:
		return Message{TopicFirstVote, slices.Concat(r.Messages[0], r.Node[:], signatures[0])}, nil
	case SignVote:
		return Message{TopicVote, slices.Concat(r.Messages[0], r.Node[:], signatures[0])}, nil
	}
	proofs := make([]wire.VrfSignature, len(signatures))
	for i, sig := range signatures {
		proofs[i] = wire.VrfSignature(sig)
	}
	toss := p.coin.Own(r.Node, proofs)
	if toss == nil {
		return Message{}, nil
	}
	return Message{TopicWeakCoin, codec.MustEncode(toss)}, nil
}

// assembleProposal leaves out a proposal that peers would find invalid.
func (p *Protocol) assembleProposal(now time.Time, id wire.NodeID, proof wire.VrfSignature) Message {
	m := p.running.members[id]
	if m == nil || p.running.grade(now, p.params.Grace, m, &proof) == Invalid {
		return Message{}
	}
	message := wire.BeaconProposalMessage{EpochID: p.running.epoch, NodeID: id, VRFSignature: proof}
	return Message{TopicProposal, codec.MustEncode(&message)}
}

func (k Kind) size() int {
	if k == SignFirstVote || k == SignVote {
		return len(wire.EdSignature{})
	}
	return len(wire.VrfSignature{})
}
