package wire

import "github.com/smeshery/smeshery/pkg/codec"

// Limits of spec 01 §9.
const (
	MaxBlockRewards        = 2_350
	MaxCertificateMessages = 1_000
)

// RatNum is a fraction in lowest terms, each part cut to 64 bits.
type RatNum struct {
	Num   uint64
	Denom uint64
}

// Code is the table of spec 01 §9.1.
func (r *RatNum) Code(c *codec.Coder) {
	c.Compact64(&r.Num)
	c.Compact64(&r.Denom)
}

// AnyReward is the weight with which an ATX shares in a block's reward.
type AnyReward struct {
	AtxID  ATXID
	Weight RatNum
}

// Code is the table of spec 01 §9.1.
func (r *AnyReward) Code(c *codec.Coder) {
	c.Fixed(r.AtxID[:])
	r.Weight.Code(c)
}

// InnerBlock is the whole wire form of a block.
type InnerBlock struct {
	LayerIndex LayerID
	TickHeight uint64
	Rewards    []AnyReward
	TxIDs      []TransactionID
}

// Code is the table of spec 01 §9.1.
func (b *InnerBlock) Code(c *codec.Coder) {
	b.LayerIndex.Code(c)
	c.Compact64(&b.TickHeight)
	codec.List(c, &b.Rewards, MaxBlockRewards)
	codec.FixedList(c, &b.TxIDs, MaxProposalTxs)
}

// Block is what a layer applies. Blocks are not signed.
type Block struct {
	InnerBlock
}

// ID is spec 01 §9.1.
func (b *InnerBlock) ID() BlockID { return BlockID(Sum(codec.MustEncode(b)).Truncate()) }

// CertifyContent is the signed part of a certify message.
type CertifyContent struct {
	LayerID        LayerID
	BlockID        BlockID
	EligibilityCnt uint16
	Proof          VrfSignature
}

// Code is spec 01 §9.2.
func (m *CertifyContent) Code(c *codec.Coder) {
	m.LayerID.Code(c)
	c.Fixed(m.BlockID[:])
	c.Compact16(&m.EligibilityCnt)
	c.Fixed(m.Proof[:])
}

// CertifyMessage is an identity's word that a block is hare's output.
type CertifyMessage struct {
	CertifyContent
	Signature EdSignature
	SmesherID NodeID
}

// Code is spec 01 §9.2.
func (m *CertifyMessage) Code(c *codec.Coder) {
	m.CertifyContent.Code(c)
	c.Fixed(m.Signature[:])
	c.Fixed(m.SmesherID[:])
}

// SignedBytes is the body under the hare domain (spec 01 §9.2).
func (m *CertifyMessage) SignedBytes() []byte { return codec.MustEncode(&m.CertifyContent) }

// Certificate collects enough certify messages for one block.
type Certificate struct {
	BlockID    BlockID
	Signatures []CertifyMessage
}

// Code is spec 01 §9.2.
func (m *Certificate) Code(c *codec.Coder) {
	c.Fixed(m.BlockID[:])
	codec.List(c, &m.Signatures, MaxCertificateMessages)
}
