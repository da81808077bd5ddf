package wire

import "github.com/smeshery/smeshery/pkg/codec"

// MalfeasanceType tells the kinds of version 1 proofs apart.
type MalfeasanceType uint8

// Kinds of spec 01 §13.1.
const (
	MultipleATXs MalfeasanceType = iota + 1
	MultipleBallots
	HareEquivocation
	InvalidPostIndex
	InvalidPrevATX
)

// AtxProofMsg is one of two signed ATX summaries.
type AtxProofMsg struct {
	InnerMsg  ATXMetadata
	SmesherID NodeID
	Signature EdSignature
}

// Code is type 1 of spec 01 §13.1.
func (m *AtxProofMsg) Code(c *codec.Coder) {
	m.InnerMsg.Code(c)
	c.Fixed(m.SmesherID[:])
	c.Fixed(m.Signature[:])
}

// BallotProofMsg is one of two signed ballot summaries.
type BallotProofMsg struct {
	InnerMsg  BallotMetadata
	SmesherID NodeID
	Signature EdSignature
}

// Code is type 2 of spec 01 §13.1.
func (m *BallotProofMsg) Code(c *codec.Coder) {
	m.InnerMsg.Code(c)
	c.Fixed(m.SmesherID[:])
	c.Fixed(m.Signature[:])
}

// HareProofMsg is one of two signed hare summaries.
type HareProofMsg struct {
	InnerMsg  HareMetadata
	SmesherID NodeID
	Signature EdSignature
}

// Code is type 3 of spec 01 §13.1.
func (m *HareProofMsg) Code(c *codec.Coder) {
	m.InnerMsg.Code(c)
	c.Fixed(m.SmesherID[:])
	c.Fixed(m.Signature[:])
}

// The data of each proof type.
type (
	// AtxProof shows two ATXs for one publish epoch.
	AtxProof struct{ Messages [2]AtxProofMsg }
	// BallotProof shows two ballots for one layer.
	BallotProof struct{ Messages [2]BallotProofMsg }
	// HareProof shows two hare messages for one round.
	HareProof struct{ Messages [2]HareProofMsg }
	// InvalidPostIndexProof shows an ATX with a label that is not there.
	InvalidPostIndexProof struct {
		Atx        ActivationTxV1
		InvalidIdx uint32
	}
	// InvalidPrevAtxProof shows two ATXs with one predecessor.
	InvalidPrevAtxProof struct{ Atx1, Atx2 ActivationTxV1 }
)

// Code is type 1 of spec 01 §13.1.
func (p *AtxProof) Code(c *codec.Coder) { codec.Array(c, p.Messages[:]) }

// Code is type 2 of spec 01 §13.1.
func (p *BallotProof) Code(c *codec.Coder) { codec.Array(c, p.Messages[:]) }

// Code is type 3 of spec 01 §13.1.
func (p *HareProof) Code(c *codec.Coder) { codec.Array(c, p.Messages[:]) }

// Code is type 4 of spec 01 §13.1.
func (p *InvalidPostIndexProof) Code(c *codec.Coder) {
	p.Atx.Code(c)
	c.Compact32(&p.InvalidIdx)
}

// Code is type 5 of spec 01 §13.1.
func (p *InvalidPrevAtxProof) Code(c *codec.Coder) {
	p.Atx1.Code(c)
	p.Atx2.Code(c)
}

// MalfeasanceData is the type-dependent part of a proof.
type MalfeasanceData interface {
	codec.Coded
	// MaliciousID is the identity that the proof accuses.
	MaliciousID() NodeID
}

// MaliciousID is the smesher of the first message.
func (p *AtxProof) MaliciousID() NodeID { return p.Messages[0].SmesherID }

// MaliciousID is the smesher of the first message.
func (p *BallotProof) MaliciousID() NodeID { return p.Messages[0].SmesherID }

// MaliciousID is the smesher of the first message.
func (p *HareProof) MaliciousID() NodeID { return p.Messages[0].SmesherID }

// MaliciousID is the smesher of the ATX.
func (p *InvalidPostIndexProof) MaliciousID() NodeID { return p.Atx.SmesherID }

// MaliciousID is the smesher of the first ATX.
func (p *InvalidPrevAtxProof) MaliciousID() NodeID { return p.Atx1.SmesherID }

// MalfeasanceProof is a version 1 proof (spec 01 §13.1).
type MalfeasanceProof struct {
	Layer LayerID
	Type  MalfeasanceType
	Data  MalfeasanceData
}

// Code is spec 01 §13.1: the type is one plain byte.
func (p *MalfeasanceProof) Code(c *codec.Coder) {
	p.Layer.Code(c)
	c.U8((*uint8)(&p.Type))
	if c.Err() != nil {
		return
	}
	if c.Reading() {
		p.Data = newMalfeasanceData(p.Type)
	}
	if p.Data == nil {
		c.Fail(codec.ErrUnknownProofType)
		return
	}
	p.Data.Code(c)
}

func newMalfeasanceData(t MalfeasanceType) MalfeasanceData {
	switch t {
	case MultipleATXs:
		return new(AtxProof)
	case MultipleBallots:
		return new(BallotProof)
	case HareEquivocation:
		return new(HareProof)
	case InvalidPostIndex:
		return new(InvalidPostIndexProof)
	case InvalidPrevATX:
		return new(InvalidPrevAtxProof)
	}
	return nil
}

// HareEligibilityGossip is deprecated: a gossip message that has it is refused.
type HareEligibilityGossip struct {
	Layer       LayerID
	Round       uint32
	NodeID      NodeID
	Eligibility HareEligibility
}

// Code is spec 01 §13.1.
func (e *HareEligibilityGossip) Code(c *codec.Coder) {
	e.Layer.Code(c)
	c.Compact32(&e.Round)
	c.Fixed(e.NodeID[:])
	e.Eligibility.Code(c)
}

// MalfeasanceGossip is a proof as it is gossiped.
type MalfeasanceGossip struct {
	MalfeasanceProof
	Eligibility *HareEligibilityGossip
}

// Code is spec 01 §13.1.
func (g *MalfeasanceGossip) Code(c *codec.Coder) {
	g.MalfeasanceProof.Code(c)
	codec.Option(c, &g.Eligibility)
}
