package wire

import "github.com/smeshery/smeshery/pkg/codec"

// Limits of spec 01 §5.1.
const (
	MaxPostIndices     = 800
	MaxMembershipNodes = 32
	maxPoetRef         = 32
)

// PostV1 is a proof of space.
type PostV1 struct {
	Nonce   uint32
	Indices []byte
	Pow     uint64
}

// Code is the table of spec 01 §5.1.
func (p *PostV1) Code(c *codec.Coder) {
	c.Compact32(&p.Nonce)
	c.Bytes(&p.Indices, MaxPostIndices)
	c.Compact64(&p.Pow)
}

// MerkleProofV1 proves one leaf of a PoET round's membership tree.
type MerkleProofV1 struct {
	Nodes     []Hash32
	LeafIndex uint64
}

// Code is the table of spec 01 §5.1.
func (p *MerkleProofV1) Code(c *codec.Coder) {
	codec.FixedList(c, &p.Nodes, MaxMembershipNodes)
	c.Compact64(&p.LeafIndex)
}

// PostMetadataV1 names the PoET proof and the label density of a NIPost.
type PostMetadataV1 struct {
	Challenge     []byte
	LabelsPerUnit uint64
}

// Code is the table of spec 01 §5.1.
func (m *PostMetadataV1) Code(c *codec.Coder) {
	c.Bytes(&m.Challenge, maxPoetRef)
	c.Compact64(&m.LabelsPerUnit)
}

// PoetRef is the challenge read as the name of a PoET proof.
func (m *PostMetadataV1) PoetRef() PoetProofRef { return LeftAligned32(m.Challenge) }

// NIPostV1 joins membership, proof of space and metadata. Post and
// PostMetadata may be absent in what a peer sends.
type NIPostV1 struct {
	Membership   MerkleProofV1
	Post         *PostV1
	PostMetadata *PostMetadataV1
}

// Code is the table of spec 01 §5.1.
func (n *NIPostV1) Code(c *codec.Coder) {
	n.Membership.Code(c)
	codec.Option(c, &n.Post)
	codec.Option(c, &n.PostMetadata)
}

// NIPostChallengeV1 is what an identity registers with a PoET, hashed.
type NIPostChallengeV1 struct {
	PublishEpoch     EpochID
	Sequence         uint64
	PrevATXID        ATXID
	PositioningATXID ATXID
	CommitmentATXID  *ATXID
	InitialPost      *PostV1
}

// Code is fields 1–6 of spec 01 §5.1.
func (n *NIPostChallengeV1) Code(c *codec.Coder) {
	n.PublishEpoch.Code(c)
	c.Compact64(&n.Sequence)
	c.Fixed(n.PrevATXID[:])
	c.Fixed(n.PositioningATXID[:])
	codec.OptionFixed(c, &n.CommitmentATXID)
	codec.Option(c, &n.InitialPost)
}

// Hash is the registered challenge (spec 01 §7.1).
func (n *NIPostChallengeV1) Hash() Hash32 { return leafHash(n) }

// leafHash separates challenges from the nodes of the membership tree.
func leafHash(v codec.Coded) Hash32 {
	b, err := codec.Append([]byte{0}, v)
	if err != nil {
		panic(err) // out of its limits, which decoding excludes
	}
	return Sum(b)
}

// InnerActivationTxV1 is what the ID of a version 1 ATX covers.
type InnerActivationTxV1 struct {
	NIPostChallengeV1
	Coinbase Address
	NumUnits uint32
	NIPost   *NIPostV1
	NodeID   *NodeID
	VRFNonce *uint64
}

// Code is fields 1–11 of spec 01 §5.1.
func (a *InnerActivationTxV1) Code(c *codec.Coder) {
	a.NIPostChallengeV1.Code(c)
	c.Fixed(a.Coinbase[:])
	c.Compact32(&a.NumUnits)
	codec.Option(c, &a.NIPost)
	codec.OptionFixed(c, &a.NodeID)
	c.OptionalCompact64(&a.VRFNonce)
}

// ActivationTxV1 is an ATX of version 1.
type ActivationTxV1 struct {
	InnerActivationTxV1
	SmesherID NodeID
	Signature EdSignature
}

// Code is the table of spec 01 §5.1.
func (a *ActivationTxV1) Code(c *codec.Coder) {
	a.InnerActivationTxV1.Code(c)
	c.Fixed(a.SmesherID[:])
	c.Fixed(a.Signature[:])
}

// ID hashes the inner part (spec 01 §5.3).
func (a *ActivationTxV1) ID() ATXID { return ATXID(Sum(codec.MustEncode(&a.InnerActivationTxV1))) }

// SignedBytes is the body under the ATX domain (spec 01 §5.4).
func (a *ActivationTxV1) SignedBytes() []byte {
	return codec.MustEncode(&ATXMetadata{PublishEpoch: a.PublishEpoch, MsgHash: Hash32(a.ID())})
}

// ATXMetadata is the signed summary of a version 1 ATX.
type ATXMetadata struct {
	PublishEpoch EpochID
	MsgHash      Hash32
}

// Code is ATXMetadataV1 of spec 01 §5.1.
func (m *ATXMetadata) Code(c *codec.Coder) {
	m.PublishEpoch.Code(c)
	c.Fixed(m.MsgHash[:])
}

// PublishEpochOf reads the first field of an ATX blob of any version; what
// follows is not looked at (spec 01 §5.6).
func PublishEpochOf(blob []byte) (EpochID, error) {
	var e EpochID
	_, err := codec.DecodePrefix(blob, &e)
	return e, err
}
