package wire

import "github.com/smeshery/smeshery/pkg/codec"

// Limits of spec 01 §10.
const (
	MaxBeaconProposals = 1_000
	MaxVotesBitVector  = 128
)

// BeaconProposal is the first four bytes of a beacon VRF proof.
type BeaconProposal [4]byte

// BeaconProposalMessage opens a beacon epoch.
type BeaconProposalMessage struct {
	EpochID      EpochID
	NodeID       NodeID
	VRFSignature VrfSignature
}

// Code is ProposalMessage of spec 01 §10.
func (m *BeaconProposalMessage) Code(c *codec.Coder) {
	m.EpochID.Code(c)
	c.Fixed(m.NodeID[:])
	c.Fixed(m.VRFSignature[:])
}

// Proposal is the value the message proposes.
func (m *BeaconProposalMessage) Proposal() BeaconProposal { return BeaconProposal(m.VRFSignature[:4]) }

// FirstVotingMessageBody lists the proposals a voter saw in time and a little late.
type FirstVotingMessageBody struct {
	EpochID                   EpochID
	ValidProposals            []BeaconProposal
	PotentiallyValidProposals []BeaconProposal
}

// Code is spec 01 §10.
func (m *FirstVotingMessageBody) Code(c *codec.Coder) {
	m.EpochID.Code(c)
	codec.FixedList(c, &m.ValidProposals, MaxBeaconProposals)
	codec.FixedList(c, &m.PotentiallyValidProposals, MaxBeaconProposals)
}

// FirstVotingMessage is the first round's vote.
type FirstVotingMessage struct {
	FirstVotingMessageBody
	SmesherID NodeID
	Signature EdSignature
}

// Code is spec 01 §10.
func (m *FirstVotingMessage) Code(c *codec.Coder) {
	m.FirstVotingMessageBody.Code(c)
	c.Fixed(m.SmesherID[:])
	c.Fixed(m.Signature[:])
}

// SignedBytes is the body under the first-message domain.
func (m *FirstVotingMessage) SignedBytes() []byte { return codec.MustEncode(&m.FirstVotingMessageBody) }

// FollowingVotingMessageBody votes on the sender's own first-round list.
type FollowingVotingMessageBody struct {
	EpochID EpochID
	RoundID uint32
	// VotesBitVector is a big-endian integer; bit i votes for entry i.
	VotesBitVector []byte
}

// Code is spec 01 §10.
func (m *FollowingVotingMessageBody) Code(c *codec.Coder) {
	m.EpochID.Code(c)
	c.Compact32(&m.RoundID)
	c.Bytes(&m.VotesBitVector, MaxVotesBitVector)
}

// FollowingVotingMessage is the vote of a later round.
type FollowingVotingMessage struct {
	FollowingVotingMessageBody
	SmesherID NodeID
	Signature EdSignature
}

// Code is spec 01 §10.
func (m *FollowingVotingMessage) Code(c *codec.Coder) {
	m.FollowingVotingMessageBody.Code(c)
	c.Fixed(m.SmesherID[:])
	c.Fixed(m.Signature[:])
}

// SignedBytes is the body under the follow-up domain.
func (m *FollowingVotingMessage) SignedBytes() []byte {
	return codec.MustEncode(&m.FollowingVotingMessageBody)
}

// WeakCoinMessage is one unit's toss for a beacon round.
type WeakCoinMessage struct {
	Epoch        EpochID
	Round        uint32
	Unit         uint32
	NodeID       NodeID
	VRFSignature VrfSignature
}

// Code is weak coin Message of spec 01 §10.
func (m *WeakCoinMessage) Code(c *codec.Coder) {
	m.Epoch.Code(c)
	c.Compact32(&m.Round)
	c.Compact32(&m.Unit)
	c.Fixed(m.NodeID[:])
	c.Fixed(m.VRFSignature[:])
}
