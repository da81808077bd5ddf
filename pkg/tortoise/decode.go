package tortoise

import (
	"cmp"
	"slices"

	"github.com/smeshery/smeshery/pkg/wire"
)

// exception is one entry of a ballot's difference to its base.
type exception struct {
	layer   wire.LayerID
	abstain bool
	support bool
	vote    wire.Vote
}

// exceptions are sorted by layer; a layer's are in a row.
type exceptions []exception

// newExceptions sorts and checks a difference (spec 06 §9.4 step 1).
func newExceptions(votes *wire.Votes) (exceptions, error) {
	list := make(exceptions, 0, len(votes.Support)+len(votes.Against)+len(votes.Abstain))
	for _, v := range votes.Against {
		list = append(list, exception{layer: v.LayerID, vote: v})
	}
	for _, v := range votes.Support {
		list = append(list, exception{layer: v.LayerID, vote: v, support: true})
	}
	order := func(a, b exception) int {
		if c := cmp.Compare(a.layer, b.layer); c != 0 {
			return c
		}
		return wire.Compare20(a.vote.ID, b.vote.ID)
	}
	slices.SortFunc(list, order)
	for i := 1; i < len(list); i++ {
		if order(list[i-1], list[i]) == 0 {
			return nil, refuse(RuleDuplicateVote, "block %s in layer %d", list[i].vote.ID, list[i].layer)
		}
	}
	if len(votes.Abstain) == 0 {
		return list, nil
	}
	for _, layer := range votes.Abstain {
		list = append(list, exception{layer: layer, abstain: true})
	}
	slices.SortStableFunc(list, func(a, b exception) int { return cmp.Compare(a.layer, b.layer) })
	for i := 1; i < len(list); i++ {
		if list[i].abstain && list[i-1].layer == list[i].layer {
			return nil, refuse(RuleAbstainConflict, "layer %d", list[i].layer)
		}
	}
	return list, nil
}

// from is the lowest layer that is touched, of a ballot on a base in layer base.
func (x exceptions) from(base wire.LayerID) wire.LayerID {
	if len(x) == 0 {
		return base
	}
	return min(base, x[0].layer)
}

// seek drops what is below a layer.
func (x exceptions) seek(layer wire.LayerID) exceptions {
	i, _ := slices.BinarySearchFunc(x, layer, func(e exception, layer wire.LayerID) int {
		return cmp.Compare(e.layer, layer)
	})
	return x[i:]
}

// of splits off the exceptions of a layer.
func (x exceptions) of(layer wire.LayerID) (here, rest exceptions) {
	n := 0
	for n < len(x) && x[n].layer == layer {
		n++
	}
	return x[:n], x[n:]
}

func (x exceptions) find(id wire.BlockID) *exception {
	i, ok := slices.BinarySearchFunc(x, id, func(e exception, id wire.BlockID) int {
		return wire.Compare20(e.vote.ID, id)
	})
	if !ok {
		return nil
	}
	return &x[i]
}

// decoded are the votes from layer start on, with their hashes.
type decoded struct {
	base      *opinion
	start     wire.LayerID
	votes     []*layerVote
	before    wire.Hash32
	hasBefore bool
	// marks are the hashes before the aligned layers after start.
	marks []wire.Hash32
	hash  wire.Hash32
	// from is the lowest layer that the difference touches.
	from wire.LayerID
}

// decodeVotes applies a difference to a base for a ballot in layer at, which is
// later than the base's (spec 06 §9.4). low is the oldest layer to look at.
func (t *Tortoise) decodeVotes(base *opinion, votes *wire.Votes, at, low wire.LayerID) (*decoded, error) {
	list, err := newExceptions(votes)
	if err != nil {
		return nil, err
	}
	d := &decoded{base: base, from: list.from(base.end)}
	d.start = base.firstFrom(max(d.from, low))
	if at-d.start > maxChain {
		return nil, refuse(RuleOutsideWindow, "votes on %d layers", at-d.start)
	}
	list = list.seek(d.start)
	d.votes = make([]*layerVote, 0, at-d.start)
	d.copyBase(d.start)
	var here exceptions
	for layer := d.start; layer < at; layer++ {
		here, list = list.of(layer)
		if layer >= base.end {
			d.votes = append(d.votes, t.newVote(here))
			continue
		}
		if len(here) == 0 {
			continue
		}
		vote, err := t.changeVote(d.votes[layer-d.start], here)
		if err != nil {
			return nil, err
		}
		d.votes[layer-d.start] = vote
	}
	t.hashVotes(d)
	return d, nil
}

// copyBase takes over the base's votes from start on, oldest first.
func (d *decoded) copyBase(start wire.LayerID) {
	d.votes = d.votes[:d.base.end-start]
	end := d.base.end
	for s := d.base.tail; s != nil && end > start; s = s.prev {
		for layer := max(s.first, start); layer < end; layer++ {
			d.votes[layer-start] = s.at(layer)
		}
		end = s.first
	}
}

func (t *Tortoise) hashVotes(d *decoded) {
	var hash wire.Hash32
	hash, d.hasBefore, t.buf = d.base.hashBefore(d.start, t.buf)
	d.before = hash
	has := d.hasBefore
	for i, vote := range d.votes {
		if i > 0 && (d.start+wire.LayerID(i))%segmentSize == 0 {
			d.marks = append(d.marks, hash)
		}
		hash, t.buf = vote.hash(hash, has, t.buf)
		has = true
	}
	d.hash = hash
}

// newVote is the vote on a layer that the base does not vote on.
func (t *Tortoise) newVote(here exceptions) *layerVote {
	vote := new(layerVote)
	for _, e := range here {
		switch {
		case e.abstain:
			vote.abstain = true
		case e.support:
			vote.support = append(vote.support, t.voted(e.vote))
		}
	}
	slices.SortFunc(vote.support, compareBlocks)
	return vote
}

// changeVote is a base's vote with differences. That a layer which was abstained
// stays so, with supported blocks, is the protocol's.
func (t *Tortoise) changeVote(old *layerVote, here exceptions) (*layerVote, error) {
	if here[0].abstain {
		return &layerVote{abstain: true}, nil
	}
	vote := &layerVote{abstain: old.abstain, support: make([]*block, 0, len(old.support)+len(here))}
	for _, b := range old.support {
		e := here.find(b.id)
		if e == nil {
			vote.support = append(vote.support, b)
		} else if !e.support && e.vote.Height != b.height {
			return nil, refuse(RuleAgainstWrongHeight, "block %s: %d, not %d", b.id, e.vote.Height, b.height)
		}
	}
	for _, e := range here {
		if e.support {
			vote.support = append(vote.support, t.voted(e.vote))
		}
	}
	slices.SortFunc(vote.support, compareBlocks)
	return vote, nil
}

// voted is the block that a vote names: the registered one if there is one.
func (t *Tortoise) voted(v wire.Vote) *block {
	if l := t.layers.get(v.LayerID); l != nil {
		if b := l.block(v.ID, v.Height); b != nil {
			return b
		}
	}
	return &block{id: v.ID, layer: v.LayerID, height: v.Height}
}
