package proposal

import (
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Arrival is a proposal that passed everything but what its transactions need.
type Arrival struct {
	ID       wire.ProposalID
	Proposal *wire.Proposal
	Ballot   Kept
}

// Shelf is where proposals of recent layers stand, with what they refer to.
type Shelf interface {
	World
	// ProposalKnown tells whether the proposal stands there already.
	ProposalKnown(wire.ProposalID) bool
	// ObtainTxs makes sure that the transactions are stored.
	ObtainTxs([]wire.TransactionID) error
	// Shelve puts the proposal there and links its transactions. It is a
	// RuleError for a layer that was evicted, and for a known proposal.
	Shelve(*Arrival) error
}

// Gossip judges and keeps a proposal that was gossiped (spec 06 §7.1).
func (j *Judge) Gossip(s Shelf, blob []byte) (*Arrival, error) { return j.proposal(s, blob, nil) }

// Synced judges and keeps a proposal that was fetched under want; one that is
// known is a success. The zero hash stands for any proposal.
func (j *Judge) Synced(s Shelf, blob []byte, want wire.Hash32) (*Arrival, error) {
	a, err := j.proposal(s, blob, &want)
	if rule, ok := RuleOf(err); ok && rule.Rule == RuleKnown {
		return a, nil
	}
	return a, err
}

func (j *Judge) proposal(s Shelf, blob []byte, want *wire.Hash32) (*Arrival, error) {
	p := new(wire.Proposal)
	if err := codec.Decode(blob, p); err != nil {
		return nil, broke(RuleMalformed, Reject, "%v", err)
	}
	if err := j.timely(s, p.Layer); err != nil {
		return nil, err
	}
	signed := p.SignedBytes()
	a := &Arrival{Proposal: p, ID: wire.ProposalID(wire.Sum(signed).Truncate())}
	if !j.Params.Verifier.Verify(signing.Proposal, p.SmesherID, signed, p.Signature) {
		return nil, broke(RuleProposalSignature, Ignore, "smesher %s", p.SmesherID)
	}
	if !j.Params.Verifier.Verify(signing.Ballot, p.SmesherID, p.Ballot.SignedBytes(), p.Ballot.Signature) {
		return nil, broke(RuleBallotSignature, Ignore, "smesher %s", p.SmesherID)
	}
	known := s.ProposalKnown(a.ID)
	if want != nil && !wire.IsZero(*want) && *want != wire.Pad32(a.ID) {
		return nil, broke(RuleWrongID, Reject, "asked for %s, got %s", want, a.ID)
	}
	if err := j.checkATXField(&p.Ballot); err != nil {
		return nil, err
	}
	if known {
		return a, broke(RuleKnown, Ignore, "proposal %s", a.ID)
	}
	return a, j.contents(s, a)
}

// timely are rows 2 to 4 of spec 06 §7.1.
func (j *Judge) timely(w World, layer wire.LayerID) error {
	processed, current := w.Layers()
	switch {
	case layer <= j.Params.EffectiveGenesis:
		return broke(RuleBeforeGenesis, Ignore, "layer %d", layer)
	case layer <= processed:
		return broke(RuleLayerProcessed, Ignore, "layer %d, processed %d", layer, processed)
	case layer > current:
		return broke(RuleLayerInFuture, Ignore, "layer %d, current %d", layer, current)
	}
	return nil
}

// contents are rows 11 to 18 of spec 06 §7.1.
func (j *Judge) contents(s Shelf, a *Arrival) error {
	kept, err := j.Ballot(s, &a.Proposal.Ballot)
	if rule, ok := RuleOf(err); err != nil && (!ok || rule.Rule != RuleKnown) {
		return err
	}
	a.Ballot = kept
	if id, twice := duplicate(a.Proposal.TxIDs); twice {
		return broke(RuleDuplicateTx, Reject, "%s", id)
	}
	if err := s.ObtainTxs(a.Proposal.TxIDs); err != nil {
		if _, ok := RuleOf(err); ok {
			return err
		}
		return &RuleError{Rule: RuleTxsUnavailable, Reaction: Ignore, Detail: err.Error()}
	}
	if err := s.Shelve(a); err != nil {
		return err
	}
	if kept.Malicious {
		return broke(RuleMaliciousBallot, Ignore, "smesher %s", a.Proposal.SmesherID)
	}
	return nil
}

func duplicate(ids []wire.TransactionID) (wire.TransactionID, bool) {
	seen := make(map[wire.TransactionID]bool, len(ids))
	for _, id := range ids {
		if seen[id] {
			return id, true
		}
		seen[id] = true
	}
	return wire.TransactionID{}, false
}
