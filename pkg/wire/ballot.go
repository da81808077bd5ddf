package wire

import "github.com/smeshery/smeshery/pkg/codec"

// Limits of spec 01 §8.
const (
	MaxEligibilityProofs = 25_000
	MaxVotes             = 10_000
	MaxProposalTxs       = 100_000
)

// EpochData stands in an identity's first ballot of an epoch.
type EpochData struct {
	ActiveSetHash    Hash32
	Beacon           Beacon
	EligibilityCount uint32
}

// Code is the table of spec 01 §8.1.
func (d *EpochData) Code(c *codec.Coder) {
	c.Fixed(d.ActiveSetHash[:])
	c.Fixed(d.Beacon[:])
	c.Compact32(&d.EligibilityCount)
}

// Vote names a block that is voted on, with what is needed to order it.
type Vote struct {
	ID      BlockID
	LayerID LayerID
	Height  uint64
}

// Code is BlockHeader of spec 01 §8.1.
func (v *Vote) Code(c *codec.Coder) {
	c.Fixed(v.ID[:])
	v.LayerID.Code(c)
	c.Compact64(&v.Height)
}

// Votes are the differences to the votes of the base ballot.
type Votes struct {
	Base    BallotID
	Support []Vote
	Against []Vote
	Abstain []LayerID
}

// Code is the table of spec 01 §8.1.
func (v *Votes) Code(c *codec.Coder) {
	c.Fixed(v.Base[:])
	codec.List(c, &v.Support, MaxVotes)
	codec.List(c, &v.Against, MaxVotes)
	codec.CompactList(c, &v.Abstain, MaxVotes)
}

// Opinion is votes with the hash they decode to; it is never sent.
type Opinion struct {
	Hash  Hash32
	Votes Votes
}

// Code is the table of spec 01 §8.1.
func (o *Opinion) Code(c *codec.Coder) {
	c.Fixed(o.Hash[:])
	o.Votes.Code(c)
}

// VotingEligibility is the VRF proof for slot J.
type VotingEligibility struct {
	J   uint32
	Sig VrfSignature
}

// Code is the table of spec 01 §8.1.
func (v *VotingEligibility) Code(c *codec.Coder) {
	c.Compact32(&v.J)
	c.Fixed(v.Sig[:])
}

// InnerBallot is what the ID and the signature of a ballot cover.
type InnerBallot struct {
	Layer       LayerID
	AtxID       ATXID
	OpinionHash Hash32
	RefBallot   BallotID
	EpochData   *EpochData
}

// Code is fields 1–5 of spec 01 §8.1.
func (b *InnerBallot) Code(c *codec.Coder) {
	b.Layer.Code(c)
	c.Fixed(b.AtxID[:])
	c.Fixed(b.OpinionHash[:])
	c.Fixed(b.RefBallot[:])
	codec.Option(c, &b.EpochData)
}

// Hash is the full hash of which the ballot ID is the beginning.
func (b *InnerBallot) Hash() Hash32 { return Sum(codec.MustEncode(b)) }

// BallotMetadata is the signed summary of a ballot or a proposal.
type BallotMetadata struct {
	Layer   LayerID
	MsgHash Hash32
}

// Code is the table of spec 01 §8.1.
func (m *BallotMetadata) Code(c *codec.Coder) {
	m.Layer.Code(c)
	c.Fixed(m.MsgHash[:])
}

// Ballot is an identity's vote in a layer.
type Ballot struct {
	InnerBallot
	Signature         EdSignature
	SmesherID         NodeID
	Votes             Votes
	EligibilityProofs []VotingEligibility
	// ActiveSet is obsolete: decoded, part of a proposal's hash, never stored.
	ActiveSet []ATXID
}

// Code is the table of spec 01 §8.1.
func (b *Ballot) Code(c *codec.Coder) {
	b.InnerBallot.Code(c)
	c.Fixed(b.Signature[:])
	c.Fixed(b.SmesherID[:])
	b.Votes.Code(c)
	codec.List(c, &b.EligibilityProofs, MaxEligibilityProofs)
	codec.FixedList(c, &b.ActiveSet, 1)
}

// ID is spec 01 §8.2.
func (b *Ballot) ID() BallotID { return BallotID(b.Hash().Truncate()) }

// SignedBytes is the body under the ballot domain (spec 01 §8.2).
func (b *Ballot) SignedBytes() []byte {
	return codec.MustEncode(&BallotMetadata{Layer: b.Layer, MsgHash: b.Hash()})
}

// Proposal is a ballot with the transactions its author wants in the layer.
type Proposal struct {
	Ballot
	TxIDs     []TransactionID
	MeshHash  Hash32
	Signature EdSignature
}

// Code is spec 01 §8.3.
func (p *Proposal) Code(c *codec.Coder) {
	p.codeInner(c)
	c.Fixed(p.Signature[:])
}

func (p *Proposal) codeInner(c *codec.Coder) {
	p.Ballot.Code(c)
	codec.FixedList(c, &p.TxIDs, MaxProposalTxs)
	c.Fixed(p.MeshHash[:])
}

// innerProposal is a proposal without its own signature.
type innerProposal struct{ *Proposal }

// Code is InnerProposal of spec 01 §8.3.
func (p innerProposal) Code(c *codec.Coder) { p.codeInner(c) }

// InnerHash is the hash of everything but the proposal's own signature.
func (p *Proposal) InnerHash() Hash32 { return Sum(codec.MustEncode(innerProposal{p})) }

// SignedBytes is the body under the proposal domain (spec 01 §8.4).
func (p *Proposal) SignedBytes() []byte {
	return codec.MustEncode(&BallotMetadata{Layer: p.Layer, MsgHash: p.InnerHash()})
}

// ID hashes the signed bytes (spec 01 §8.4).
func (p *Proposal) ID() ProposalID { return ProposalID(Sum(p.SignedBytes()).Truncate()) }
