package tortoise

import (
	"github.com/smeshery/smeshery/pkg/tortoise/fixed"
	"github.com/smeshery/smeshery/pkg/wire"
)

// EpochData is what the first ballot of an identity in an epoch declares.
type EpochData struct {
	Beacon wire.Beacon
	// Slots is the eligibility count.
	Slots uint32
}

// Ballot is what counting needs of a ballot whose signature is verified.
type Ballot struct {
	ID      wire.BallotID
	Smesher wire.NodeID
	Layer   wire.LayerID
	ATX     wire.ATXID
	// Opinion is the signed opinion hash.
	Opinion wire.Hash32
	// Proofs is the number of eligibility proofs.
	Proofs int
	// EpochData is nil in all but the first ballot, which Ref names then.
	EpochData *EpochData
	Ref       wire.BallotID
	Votes     wire.Votes
	// Malicious: the identity is known as malicious when the ballot comes.
	Malicious bool
}

// BallotOf takes the fields from the message.
func BallotOf(b *wire.Ballot) Ballot {
	out := Ballot{
		ID: b.ID(), Smesher: b.SmesherID, Layer: b.Layer, ATX: b.AtxID, Opinion: b.OpinionHash,
		Proofs: len(b.EligibilityProofs), Ref: b.RefBallot, Votes: b.Votes,
	}
	if b.EpochData != nil {
		out.EpochData = &EpochData{Beacon: b.EpochData.Beacon, Slots: b.EpochData.EligibilityCount}
	}
	return out
}

// Reference is what the ballots that refer to a first ballot are judged by
// (spec 06 §7.6).
type Reference struct {
	Layer   wire.LayerID
	Smesher wire.NodeID
	ATX     wire.ATXID
	Beacon  wire.Beacon
	Slots   uint32
}

// Knows tells whether a ballot is in the state.
func (t *Tortoise) Knows(id wire.BallotID) bool { return t.ballots[id] != nil }

// Reference is what a known ballot declares or inherits.
func (t *Tortoise) Reference(id wire.BallotID) (Reference, bool) {
	b := t.ballots[id]
	if b == nil {
		return Reference{}, false
	}
	return Reference{
		Layer: b.layer, Smesher: b.ref.smesher, ATX: b.ref.atx, Beacon: b.ref.beacon, Slots: b.ref.slots,
	}, true
}

// Decoded is a ballot whose votes are understood and which is not stored yet.
// It belongs to the state that decoded it.
type Decoded struct {
	ballot *ballot
	// votes is nil when the ballot shares a known opinion.
	votes *decoded
	known bool
}

// Weight is what the ballot counts with.
func (d *Decoded) Weight() fixed.Number { return d.ballot.weight }

// Known tells that the ballot was stored before.
func (d *Decoded) Known() bool { return d.known }

// Decode reads the votes of a ballot and checks them against the signed opinion
// (spec 06 §9.5). It changes nothing. All errors are a *RuleError.
func (t *Tortoise) Decode(b *Ballot) (*Decoded, error) {
	if b.Layer <= t.evicted {
		return nil, refuse(RuleCannotDecode, "layer %d is evicted", b.Layer)
	}
	if known := t.ballots[b.ID]; known != nil {
		if known.opinion.hash != b.Opinion {
			return nil, refuse(RuleOpinionMismatch, "ballot %s is known with another", b.ID)
		}
		return &Decoded{ballot: known, known: true}, nil
	}
	base, baseErr := t.base(b)
	if baseErr != nil && base == nil {
		return nil, baseErr
	}
	ref, err := t.reference(b)
	if err != nil {
		return nil, err
	}
	fresh := &ballot{id: b.ID, layer: b.Layer, ref: ref, malicious: b.Malicious || t.IsMalicious(b.Smesher)}
	if fresh.weight, err = ballotWeight(ref, b.Proofs, fresh.malicious); err != nil {
		return nil, err
	}
	if baseErr != nil && !t.recovering {
		return nil, baseErr
	}
	if l := t.layers.get(b.Layer); l != nil {
		if fresh.opinion = l.knownOpinion(b.Opinion); fresh.opinion != nil {
			return &Decoded{ballot: fresh}, nil
		}
	}
	votes, err := t.decodeChecked(b, base)
	if err != nil {
		return nil, err
	}
	return &Decoded{ballot: fresh, votes: votes}, nil
}

// decodeChecked decodes votes and compares the opinion; what the node itself
// stored before is taken on trust.
func (t *Tortoise) decodeChecked(b *Ballot, base *opinion) (*decoded, error) {
	low := t.evicted + 1
	if t.recovering {
		low = 0
	}
	votes, err := t.decodeVotes(base, &b.Votes, b.Layer, low)
	if err != nil {
		return nil, err
	}
	if t.recovering {
		votes.hash = b.Opinion
		return votes, nil
	}
	if votes.from <= t.evicted {
		return nil, refuse(RuleOutsideWindow, "layer %d, evicted %d", votes.from, t.evicted)
	}
	if votes.hash != b.Opinion {
		return nil, refuse(RuleOpinionMismatch, "ballot %s: %s, signed %s", b.ID, votes.hash, b.Opinion)
	}
	return votes, nil
}

// base is the opinion to build on. An unknown base is an error, which comes with
// an empty opinion, because a recovery goes on with that.
func (t *Tortoise) base(b *Ballot) (*opinion, error) {
	var missing error
	var base *opinion
	switch known := t.ballots[b.Votes.Base]; {
	case b.Votes.Base == wire.BallotID{}:
		base = emptyOpinion(t.params.EffectiveGenesis)
	case known != nil:
		base = known.opinion
	default:
		base, missing = emptyOpinion(t.evicted), refuse(RuleBaseMissing, "%s", b.Votes.Base)
	}
	if base.end >= b.Layer {
		return nil, refuse(RuleBaseNotEarlier, "base in layer %d, ballot in %d", base.end, b.Layer)
	}
	return base, missing
}

// emptyOpinion is that of a ballot without votes.
func emptyOpinion(end wire.LayerID) *opinion {
	return &opinion{chain: chain{end: end}, abstainLow: 1}
}

func (t *Tortoise) reference(b *Ballot) (*reference, error) {
	if b.EpochData == nil {
		known := t.ballots[b.Ref]
		if known == nil {
			return nil, refuse(RuleCannotDecode, "reference ballot %s is unknown", b.Ref)
		}
		return known.ref, nil
	}
	if b.EpochData.Slots == 0 {
		return nil, refuse(RuleNoEligibility, "ballot %s", b.ID)
	}
	target := t.epochOf(b.Layer)
	atx, ok := t.index.ATX(target, b.ATX)
	if !ok {
		return nil, refuse(RuleATXMissing, "%s in epoch %d", b.ATX, target)
	}
	divisor := gcd(atx.Weight, uint64(b.EpochData.Slots))
	return &reference{
		smesher: b.Smesher, atx: b.ATX, beacon: b.EpochData.Beacon, slots: b.EpochData.Slots,
		height: atx.Height, num: atx.Weight / divisor, den: uint64(b.EpochData.Slots) / divisor,
	}, nil
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// ballotWeight divides before it multiplies, as all nodes do (spec 06 §9.5).
func ballotWeight(ref *reference, proofs int, malicious bool) (fixed.Number, error) {
	if malicious {
		return fixed.Number{}, nil
	}
	weight, fits := fixed.FromUint64(ref.num).Div(fixed.FromUint64(ref.den)).MulChecked(fixed.FromInt64(int64(proofs)))
	if !fits {
		return weight, refuse(RuleWeightOverflow, "%d proofs of %d/%d", proofs, ref.num, ref.den)
	}
	return weight, nil
}
