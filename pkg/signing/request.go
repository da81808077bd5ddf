package signing

import (
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Request is something an identity may sign. The set is closed: its members
// are the types of this file.
type Request interface {
	// Slot is what may be signed only once.
	Slot() Slot
	domain() Domain
	body() []byte
}

// SignATXv1 asks for the signature of a version 1 ATX (spec 01 §5.4).
type SignATXv1 struct{ ATX *wire.ActivationTxV1 }

func (r SignATXv1) domain() Domain { return ATX }
func (r SignATXv1) body() []byte   { return r.ATX.SignedBytes() }

// Slot is the publish epoch: two ATXs in one epoch are malfeasance.
func (r SignATXv1) Slot() Slot { return Slot{Kind: SlotATX, Major: uint32(r.ATX.PublishEpoch)} }

// SignATXv2 asks for the signature of a version 2 ATX (spec 01 §6.4).
type SignATXv2 struct{ ATX *wire.ActivationTxV2 }

func (r SignATXv2) domain() Domain { return ATX }
func (r SignATXv2) body() []byte   { return r.ATX.SignedBytes() }

// Slot is the publish epoch, shared with version 1.
func (r SignATXv2) Slot() Slot { return Slot{Kind: SlotATX, Major: uint32(r.ATX.PublishEpoch)} }

// SignBallot asks for the signature of a ballot (spec 01 §8.2).
type SignBallot struct{ Meta wire.BallotMetadata }

func (r SignBallot) domain() Domain { return Ballot }
func (r SignBallot) body() []byte   { return codec.MustEncode(&r.Meta) }

// Slot is the layer: two ballots in one layer are malfeasance.
func (r SignBallot) Slot() Slot { return Slot{Kind: SlotBallot, Major: uint32(r.Meta.Layer)} }

// SignProposal asks for the signature of a proposal (spec 01 §8.4).
type SignProposal struct{ Meta wire.BallotMetadata }

func (r SignProposal) domain() Domain { return Proposal }
func (r SignProposal) body() []byte   { return codec.MustEncode(&r.Meta) }

// Slot is the layer.
func (r SignProposal) Slot() Slot { return Slot{Kind: SlotProposal, Major: uint32(r.Meta.Layer)} }

// SignHare asks for the signature of a hare message (spec 01 §11.1).
type SignHare struct{ Meta wire.HareMetadata }

func (r SignHare) domain() Domain { return Hare }
func (r SignHare) body() []byte   { return codec.MustEncode(&r.Meta) }

// Slot is layer and absolute round. The absolute round stands for iteration and
// round, as it does in proofs of equivocation.
func (r SignHare) Slot() Slot {
	return Slot{Kind: SlotHare, Major: uint32(r.Meta.Layer), Minor: r.Meta.Round}
}

// SignCertify asks for the signature of a block certification (spec 01 §9.2).
type SignCertify struct{ Content wire.CertifyContent }

func (r SignCertify) domain() Domain { return Hare }
func (r SignCertify) body() []byte   { return codec.MustEncode(&r.Content) }

// Slot is the layer: one block of a layer is certified.
func (r SignCertify) Slot() Slot { return Slot{Kind: SlotCertify, Major: uint32(r.Content.LayerID)} }

// SignBeaconFirst asks for the signature of a beacon's first vote (spec 01 §10).
type SignBeaconFirst struct{ Body wire.FirstVotingMessageBody }

func (r SignBeaconFirst) domain() Domain { return BeaconFirst }
func (r SignBeaconFirst) body() []byte   { return codec.MustEncode(&r.Body) }

// Slot is the epoch.
func (r SignBeaconFirst) Slot() Slot {
	return Slot{Kind: SlotBeaconFirst, Major: uint32(r.Body.EpochID)}
}

// SignBeaconFollowup asks for the signature of a later vote (spec 01 §10).
type SignBeaconFollowup struct {
	Body wire.FollowingVotingMessageBody
}

func (r SignBeaconFollowup) domain() Domain { return BeaconFollowup }
func (r SignBeaconFollowup) body() []byte   { return codec.MustEncode(&r.Body) }

// Slot is epoch and round.
func (r SignBeaconFollowup) Slot() Slot {
	return Slot{Kind: SlotBeaconFollowup, Major: uint32(r.Body.EpochID), Minor: r.Body.RoundID}
}

// SignMarriage asks for a certificate that lets Publisher marry the signer
// (spec 01 §6.2).
type SignMarriage struct{ Publisher wire.NodeID }

func (r SignMarriage) domain() Domain { return Marriage }
func (r SignMarriage) body() []byte   { return r.Publisher[:] }

// Slot is one for the life of the identity: who marries twice is malicious.
func (r SignMarriage) Slot() Slot { return Slot{Kind: SlotMarriage} }

// SignPoet asks for the registration of a challenge at a PoET (spec 01 §12).
type SignPoet struct{ Challenge wire.Hash32 }

func (r SignPoet) domain() Domain { return Poet }
func (r SignPoet) body() []byte   { return r.Challenge[:] }

// Slot is free.
func (r SignPoet) Slot() Slot { return Slot{Kind: SlotPoet} }
