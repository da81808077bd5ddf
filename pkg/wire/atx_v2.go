package wire

import "github.com/smeshery/smeshery/pkg/codec"

// Limits of spec 01 §6.1.
const (
	MaxPreviousATXs = 256
	MaxNiPosts      = 4
	MaxSubPosts     = 256
	MaxMarriages    = 256
)

// InitialAtxPartsV2 is what only an identity's first ATX carries.
type InitialAtxPartsV2 struct {
	CommitmentATX ATXID
	Post          PostV1
}

// Code is the table of spec 01 §6.1.
func (i *InitialAtxPartsV2) Code(c *codec.Coder) {
	c.Fixed(i.CommitmentATX[:])
	i.Post.Code(c)
}

// MerkleProofV2 proves the leaves that sub-posts name.
type MerkleProofV2 struct {
	Nodes []Hash32
}

// Code is the table of spec 01 §6.1.
func (p *MerkleProofV2) Code(c *codec.Coder) { codec.FixedList(c, &p.Nodes, MaxMembershipNodes) }

// SubPostV2 is one identity's proof in a merged ATX.
type SubPostV2 struct {
	MarriageIndex       uint32
	PrevATXIndex        uint32
	MembershipLeafIndex uint64
	Post                PostV1
	NumUnits            uint32
}

// Code is the table of spec 01 §6.1.
func (s *SubPostV2) Code(c *codec.Coder) {
	c.Compact32(&s.MarriageIndex)
	c.Compact32(&s.PrevATXIndex)
	c.Compact64(&s.MembershipLeafIndex)
	s.Post.Code(c)
	c.Compact32(&s.NumUnits)
}

// NiPostsV2 holds the sub-posts that build on one PoET proof.
type NiPostsV2 struct {
	Membership MerkleProofV2
	Challenge  PoetProofRef
	Posts      []SubPostV2
}

// Code is the table of spec 01 §6.1.
func (n *NiPostsV2) Code(c *codec.Coder) {
	n.Membership.Code(c)
	c.Fixed(n.Challenge[:])
	codec.List(c, &n.Posts, MaxSubPosts)
}

// MarriageCertificate is an identity's consent to a marriage (spec 01 §6.2).
type MarriageCertificate struct {
	ReferenceAtx ATXID
	Signature    EdSignature
}

// Code is the table of spec 01 §6.1.
func (m *MarriageCertificate) Code(c *codec.Coder) {
	c.Fixed(m.ReferenceAtx[:])
	c.Fixed(m.Signature[:])
}

// ActivationTxV2 is an ATX of version 2.
type ActivationTxV2 struct {
	PublishEpoch   EpochID
	PositioningATX ATXID
	Coinbase       Address
	Initial        *InitialAtxPartsV2
	PreviousATXs   []ATXID
	NiPosts        []NiPostsV2
	VRFNonce       uint64
	Marriages      []MarriageCertificate
	MarriageATX    *ATXID
	SmesherID      NodeID
	Signature      EdSignature
}

// Code is the table of spec 01 §6.1.
func (a *ActivationTxV2) Code(c *codec.Coder) {
	a.PublishEpoch.Code(c)
	c.Fixed(a.PositioningATX[:])
	c.Fixed(a.Coinbase[:])
	codec.Option(c, &a.Initial)
	codec.FixedList(c, &a.PreviousATXs, MaxPreviousATXs)
	codec.List(c, &a.NiPosts, MaxNiPosts)
	c.Compact64(&a.VRFNonce)
	codec.List(c, &a.Marriages, MaxMarriages)
	codec.OptionFixed(c, &a.MarriageATX)
	c.Fixed(a.SmesherID[:])
	c.Fixed(a.Signature[:])
}

// SignedBytes is the body under the ATX domain: the ID alone (spec 01 §6.4).
func (a *ActivationTxV2) SignedBytes() []byte {
	id := a.ID()
	return id[:]
}

// TotalNumUnits adds the units of all sub-posts modulo 2^32, as the network does.
func (a *ActivationTxV2) TotalNumUnits() uint32 {
	var sum uint32
	for i := range a.NiPosts {
		for j := range a.NiPosts[i].Posts {
			sum += a.NiPosts[i].Posts[j].NumUnits
		}
	}
	return sum
}

// NIPostChallengeV2 is what an identity registers with a PoET, hashed.
type NIPostChallengeV2 struct {
	PublishEpoch     EpochID
	PrevATXID        ATXID
	PositioningATXID ATXID
	InitialPost      *PostV1
}

// Code is spec 01 §7.2.
func (n *NIPostChallengeV2) Code(c *codec.Coder) {
	n.PublishEpoch.Code(c)
	c.Fixed(n.PrevATXID[:])
	c.Fixed(n.PositioningATXID[:])
	codec.Option(c, &n.InitialPost)
}

// Hash is the registered challenge (spec 01 §7.2).
func (n *NIPostChallengeV2) Hash() Hash32 { return leafHash(n) }
