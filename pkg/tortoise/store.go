package tortoise

import "github.com/smeshery/smeshery/pkg/wire"

// Store adds a decoded ballot and counts it if its layer is counted already
// (spec 06 §9.5). malicious tells that the ballot itself proved equivocation.
// RuleBallotExists if it is stored; a layer evicted since Decode is no error.
func (t *Tortoise) Store(d *Decoded, malicious bool) error {
	b := d.ballot
	if b.layer <= t.evicted {
		return nil
	}
	if t.ballots[b.id] != nil {
		return refuse(RuleBallotExists, "%s", b.id)
	}
	if malicious {
		b.malicious = true
	}
	l := t.layers.at(b.layer)
	t.adoptOpinion(l, d)
	l.ballots = append(l.ballots, b)
	l.weights = nil
	t.ballots[b.id] = b
	if b.layer <= t.processed && !t.count(b) {
		t.retry = append(t.retry, b)
	}
	return nil
}

// OnBallot is Decode and Store.
func (t *Tortoise) OnBallot(b *Ballot) error {
	d, err := t.Decode(b)
	if err != nil {
		return err
	}
	return t.Store(d, false)
}

// adoptOpinion gives the ballot its layer's opinion, which is made when it is new.
func (t *Tortoise) adoptOpinion(l *layer, d *Decoded) {
	if d.votes == nil {
		return
	}
	if known := l.knownOpinion(d.votes.hash); known != nil {
		d.ballot.opinion = known
		return
	}
	d.ballot.opinion = t.newOpinion(d.ballot, d.votes)
	l.addOpinion(d.ballot.opinion)
}

func (t *Tortoise) newOpinion(owner *ballot, d *decoded) *opinion {
	o := &opinion{
		hash: d.hash, hasHash: true, trusted: t.recovering,
		abstainLow: d.base.abstainLow, abstainHigh: d.base.abstainHigh,
	}
	for i := len(d.votes) - 1; i >= 0; i-- {
		layer, vote := d.start+wire.LayerID(i), d.votes[i]
		if layer >= d.from && layer > t.evicted {
			t.adoptBlocks(owner, vote)
		}
		if vote.abstain {
			o.abstain(layer)
		}
	}
	o.chain = build(d.base, d.start, d.votes, d.before, d.hasBefore, d.marks)
	t.keep(o.tail)
	return o
}

func (o *opinion) abstain(layer wire.LayerID) {
	if o.abstainLow > o.abstainHigh {
		o.abstainLow, o.abstainHigh = layer, layer
	}
	o.abstainLow, o.abstainHigh = min(o.abstainLow, layer), max(o.abstainHigh, layer)
}

// adoptBlocks replaces the blocks of a new vote by registered ones, and
// registers those of which only the vote tells. In a layer that is counted the
// ballot itself counts among those that came before its block, against it, and
// is then counted for it: the protocol's, margins depend on it.
func (t *Tortoise) adoptBlocks(owner *ballot, vote *layerVote) {
	for i, b := range vote.support {
		if b.registered {
			continue
		}
		l := t.layers.at(b.layer)
		if known := l.block(b.id, b.height); known != nil {
			vote.support[i] = known
			continue
		}
		if !within(t.params.Hdist, b.layer, t.last) {
			b.hare, b.validity = against, against
		}
		t.register(l, b)
		if owner.layer <= t.counted && !vote.abstain && b.height <= owner.ref.height {
			b.margin = b.margin.Sub(owner.weight)
		}
	}
}

// keep enters segments where the eviction finds them.
func (t *Tortoise) keep(s *segment) {
	for ; s != nil && !s.kept; s = s.prev {
		s.kept = true
		run := aligned(s.first)
		t.kept[run] = append(t.kept[run], s)
	}
}
