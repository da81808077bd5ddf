package tortoise

import "github.com/smeshery/smeshery/pkg/wire"

// ownVote is the node's vote on a terminated layer, for a ballot in one layer.
type ownVote struct {
	known   bool
	missing bool
	// votes stand in the order of the layer's blocks.
	votes []int8
}

// encoder collects the difference between own votes and a base's.
type encoder struct {
	t       *Tortoise
	current wire.LayerID
	own     []ownVote
	votes   wire.Votes
}

// EncodeVotes writes the node's opinion for a ballot in layer current, as a
// difference to the newest ballot that allows it (spec 06 §9.9).
func (t *Tortoise) EncodeVotes(current wire.LayerID) (*wire.Opinion, error) {
	if len(t.retry) > 0 {
		return nil, refuse(RuleUncounted, "%d ballots wait for a beacon", len(t.retry))
	}
	if current <= t.evicted+1 || current-t.evicted > maxChain {
		return nil, refuse(RuleNoBase, "layer %d, evicted %d", current, t.evicted)
	}
	e := &encoder{t: t, current: current, own: make([]ownVote, current-t.evicted-1)}
	err := refuse(RuleNoBase, "layer %d", current)
	for id := current - 1; id > t.evicted; id-- {
		opinion, failed := e.tryLayer(id)
		if opinion != nil {
			return opinion, nil
		}
		if failed != nil {
			err = failed
		}
	}
	return nil, err
}

// tryLayer returns neither opinion nor error when the layer has no candidate.
func (e *encoder) tryLayer(id wire.LayerID) (*wire.Opinion, error) {
	var err error
	if id == e.t.params.EffectiveGenesis {
		genesis := emptyOpinion(id)
		if err = e.encode(genesis, wire.BallotID{}); err == nil {
			return e.finish(genesis)
		}
	}
	l := e.t.layers.get(id)
	if l == nil {
		return nil, err
	}
	failed := make(map[*opinion]error)
	for _, b := range l.ballots {
		if b.malicious {
			continue
		}
		if before, ok := failed[b.opinion]; ok {
			err = before
			continue
		}
		if err = e.encode(b.opinion, b.id); err == nil {
			return e.finish(b.opinion)
		}
		failed[b.opinion] = err
	}
	return nil, err
}

func (e *encoder) finish(base *opinion) (*wire.Opinion, error) {
	d, err := e.t.decodeVotes(base, &e.votes, e.current, e.t.evicted+1)
	if err != nil {
		return nil, err
	}
	return &wire.Opinion{Hash: d.hash, Votes: e.votes}, nil
}

func (e *encoder) encode(base *opinion, id wire.BallotID) error {
	e.votes = wire.Votes{Base: id}
	end := base.end
	for s := base.tail; s != nil && end-1 > e.t.evicted; s = s.prev {
		for at := end; at > s.first && at-1 > e.t.evicted; at-- {
			if err := e.compare(e.t.layers.get(at-1), s.at(at-1)); err != nil {
				return err
			}
		}
		end = s.first
	}
	for at := base.end; at < e.current; at++ {
		if err := e.extend(at); err != nil {
			return err
		}
	}
	return nil
}

// compare adds the difference on a layer that the base votes on.
func (e *encoder) compare(l *layer, vote *layerVote) error {
	switch {
	case vote.abstain && l.terminated:
		return refuse(RuleBaseAbstained, "layer %d", l.id)
	case vote.abstain:
		return nil
	case !l.terminated:
		e.votes.Abstain = append(e.votes.Abstain, l.id)
		return nil
	}
	own, err := e.ownVotes(l)
	if err != nil {
		return err
	}
	supported := vote.support
	for i, b := range l.blocks {
		before := len(supported) > 0 && supported[0] == b
		if before {
			supported = supported[1:]
		}
		switch {
		case own[i] == support && !before:
			e.votes.Support = append(e.votes.Support, b.header())
		case own[i] != support && before:
			e.votes.Against = append(e.votes.Against, b.header())
		}
	}
	return e.bound()
}

// extend adds the votes on a layer that the base does not vote on.
func (e *encoder) extend(at wire.LayerID) error {
	l := e.t.layers.get(at)
	if l == nil || !l.terminated {
		e.votes.Abstain = append(e.votes.Abstain, at)
		return nil
	}
	own, err := e.ownVotes(l)
	if err != nil {
		return err
	}
	for i, b := range l.blocks {
		if own[i] == support {
			e.votes.Support = append(e.votes.Support, b.header())
		}
	}
	return e.bound()
}

func (e *encoder) bound() error {
	if n := len(e.votes.Support) + len(e.votes.Against); n > e.t.params.MaxExceptions {
		return refuse(RuleTooManyExceptions, "%d", n)
	}
	return nil
}

// ownVotes are computed once a layer, however many bases are tried.
func (e *encoder) ownVotes(l *layer) ([]int8, error) {
	own := &e.own[l.id-e.t.evicted-1]
	if !own.known {
		own.known = true
		own.votes = make([]int8, len(l.blocks))
		for i, b := range l.blocks {
			vote, ok := e.ownVote(b)
			own.votes[i] = vote
			own.missing = own.missing || !ok
		}
	}
	if own.missing {
		return nil, refuse(RuleCoinMissing, "layer %d", e.current-1)
	}
	return own.votes, nil
}

// ownVote is false when only the coin can tell and is not known.
func (e *encoder) ownVote(b *block) (int8, bool) {
	t := e.t
	if !b.data {
		return against, true
	}
	if within(t.params.Hdist, b.layer, e.current) {
		return b.hare, true
	}
	if b.layer <= t.verified && b.validity != neutral {
		return b.validity, true
	}
	if vote := int8(b.margin.Crosses(t.localThreshold)); vote != neutral {
		return vote, true
	}
	if l := t.layers.get(e.current - 1); l != nil && l.coin != neutral {
		return l.coin, true
	}
	return neutral, false
}
