package proposal

import "github.com/smeshery/smeshery/pkg/wire"

// Draft is what a proposal is made of (spec 06 §6.4).
type Draft struct {
	Layer   wire.LayerID
	Atx     wire.ATXID
	Smesher wire.NodeID
	Opinion wire.Opinion
	// Reference is the identity's first ballot of the epoch; zero in that
	// ballot itself, which has Epoch instead.
	Reference wire.BallotID
	Epoch     *wire.EpochData
	Slots     []wire.VotingEligibility
	Txs       []wire.TransactionID
	MeshHash  wire.Hash32
}

// Build puts a proposal together in two steps, since the proposal's signature
// covers the ballot's: first the ballot is signed, then the whole.
type Build struct{ proposal wire.Proposal }

// NewBuild starts from a draft.
func NewBuild(d Draft) *Build {
	b := &Build{}
	p := &b.proposal
	p.Layer, p.AtxID, p.OpinionHash = d.Layer, d.Atx, d.Opinion.Hash
	p.RefBallot, p.EpochData = d.Reference, d.Epoch
	p.SmesherID = d.Smesher
	p.Votes, p.EligibilityProofs = d.Opinion.Votes, d.Slots
	p.TxIDs, p.MeshHash = d.Txs, d.MeshHash
	return b
}

// BallotBytes is what the ballot's signature covers.
func (b *Build) BallotBytes() []byte { return b.proposal.Ballot.SignedBytes() }

// SignBallot sets the ballot's signature and returns what the proposal's covers.
func (b *Build) SignBallot(sig wire.EdSignature) []byte {
	b.proposal.Ballot.Signature = sig
	return b.proposal.SignedBytes()
}

// Sign sets the proposal's signature; the result is complete.
func (b *Build) Sign(sig wire.EdSignature) *wire.Proposal {
	b.proposal.Signature = sig
	return &b.proposal
}
