package wire

import "github.com/smeshery/smeshery/pkg/codec"

// Limits of spec 01 §11.
const (
	MaxHareProposals   = 2_350
	MaxCompactResponse = 2_050
	// HareRounds is how many absolute rounds an iteration advances.
	HareRounds = 7
)

// HareRound is the position in an iteration (spec 01 §11.1). The codec
// accepts any 8-bit value; the hare package judges it.
type HareRound uint8

// Rounds of an iteration, in order.
const (
	Preround HareRound = iota
	Hardlock
	Softlock
	Propose
	Wait1
	Wait2
	Commit
	Notify
)

// IterRound is a point in a hare session.
type IterRound struct {
	Iter  uint8
	Round HareRound
}

// Code is two compact 8-bit integers.
func (r *IterRound) Code(c *codec.Coder) {
	c.Compact8(&r.Iter)
	c.Compact8((*uint8)(&r.Round))
}

// Absolute counts rounds from the session's start (spec 01 §11.1).
func (r IterRound) Absolute() uint32 { return uint32(r.Iter)*HareRounds + uint32(r.Round) }

// HareEligibility is a VRF proof of committee membership with its seat count.
type HareEligibility struct {
	Proof VrfSignature
	Count uint16
}

// Code is spec 01 §11.1: proof before count.
func (e *HareEligibility) Code(c *codec.Coder) {
	c.Fixed(e.Proof[:])
	c.Compact16(&e.Count)
}

// HareValue is what a message speaks for.
type HareValue struct {
	Proposals []ProposalID
	Reference *Hash32
	// CompactProposals exist in hare4 only.
	CompactProposals []CompactProposalID
	// Hare4 selects the layout; it is not on the wire.
	Hare4 bool
}

// Code is spec 01 §11.1 and §11.2.
func (v *HareValue) Code(c *codec.Coder) {
	codec.FixedList(c, &v.Proposals, MaxHareProposals)
	codec.OptionFixed(c, &v.Reference)
	if v.Hare4 {
		codec.FixedList(c, &v.CompactProposals, MaxHareProposals)
	}
}

// HareBody is what a hare signature covers through its hash.
type HareBody struct {
	Layer LayerID
	IterRound
	Value       HareValue
	Eligibility HareEligibility
}

// Code is spec 01 §11.1.
func (b *HareBody) Code(c *codec.Coder) {
	b.Layer.Code(c)
	b.IterRound.Code(c)
	b.Value.Code(c)
	b.Eligibility.Code(c)
}

// Hash is blake3 of the encoded body.
func (b *HareBody) Hash() Hash32 { return Sum(codec.MustEncode(b)) }

// HareMetadata is the signed summary of a hare message.
type HareMetadata struct {
	Layer   LayerID
	Round   uint32 // absolute
	MsgHash Hash32
}

// Code is spec 01 §11.1.
func (m *HareMetadata) Code(c *codec.Coder) {
	m.Layer.Code(c)
	c.Compact32(&m.Round)
	c.Fixed(m.MsgHash[:])
}

// Metadata summarises the body.
func (b *HareBody) Metadata() HareMetadata {
	return HareMetadata{Layer: b.Layer, Round: b.Absolute(), MsgHash: b.Hash()}
}

// HareMessage is a message of either hare; Body.Value.Hare4 tells which.
type HareMessage struct {
	Body      HareBody
	Sender    NodeID
	Signature EdSignature
}

// Code is spec 01 §11.1.
func (m *HareMessage) Code(c *codec.Coder) {
	m.Body.Code(c)
	c.Fixed(m.Sender[:])
	c.Fixed(m.Signature[:])
}

// SignedBytes is the body under the hare domain, for the value as it stands:
// a compact preround must be expanded first (spec 01 §11.2).
func (m *HareMessage) SignedBytes() []byte {
	meta := m.Body.Metadata()
	return codec.MustEncode(&meta)
}

// DecodeHare reads a message of hare3, or of hare4.
func DecodeHare(b []byte, hare4 bool) (*HareMessage, error) {
	m := &HareMessage{}
	m.Body.Value.Hare4 = hare4
	if err := codec.Decode(b, m); err != nil {
		return nil, err
	}
	return m, nil
}

// CompactIdRequest asks for the full proposals of a compact preround.
type CompactIdRequest struct {
	MsgId Hash32
}

// Code is spec 01 §11.2.
func (r *CompactIdRequest) Code(c *codec.Coder) { c.Fixed(r.MsgId[:]) }

// CompactIdResponse answers with full proposal ids.
type CompactIdResponse struct {
	Ids []ProposalID
}

// Code is spec 01 §11.2.
func (r *CompactIdResponse) Code(c *codec.Coder) { codec.FixedList(c, &r.Ids, MaxCompactResponse) }
