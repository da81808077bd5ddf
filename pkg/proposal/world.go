package proposal

import (
	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Params are the numbers that judging needs.
type Params struct {
	LayersPerEpoch, LayerSize uint32
	Hdist, MaxExceptions      uint32
	// EffectiveGenesis is the last layer without ballots.
	EffectiveGenesis wire.LayerID
	GoldenATX        wire.ATXID
	MinWeights       []EpochWeight
	Verifier         signing.Verifier
}

// ATX is what the ATX cache knows of an activation in its target epoch.
type ATX struct {
	Node   wire.NodeID
	Weight uint64
	Nonce  uint64
}

// Reference is what the tortoise remembers of an earlier ballot.
type Reference struct {
	Smesher wire.NodeID
	Atx     wire.ATXID
	Epoch   wire.EpochID
	Beacon  wire.Beacon
	Slots   uint32
}

// World is the rest of the node, as a judge of proposals sees it. Methods that
// return an error may fetch from peers before they give up: their errors are
// RuleErrors where the peer is to blame, and others where it is not.
type World interface {
	// Layers are the last processed layer and the clock's.
	Layers() (processed, current wire.LayerID)
	// BallotKnown tells whether the tortoise holds the ballot.
	BallotKnown(wire.BallotID) bool
	// Reference is false if the tortoise does not hold the ballot.
	Reference(wire.BallotID) (Reference, bool)
	// ATX is false if the cache does not hold it for the epoch.
	ATX(wire.EpochID, wire.ATXID) (ATX, bool)
	// Obtain makes sure that base and reference ballots are known, and the
	// ATX is in the cache (spec 06 §7.3 step 3).
	Obtain(b *wire.Ballot) error
	// ActiveSetWeight is spec 06 §7.4.
	ActiveSetWeight(hash wire.Hash32) (uint64, error)
	// DecodeVotes lets the tortoise decode the ballot's opinion and keep
	// the result for Keep (spec 06 §7.3 step 4).
	DecodeVotes(b *wire.Ballot) error
	// VerifyVRF checks a slot's proof; it may count and cache.
	VerifyVRF(node wire.NodeID, message []byte, proof *wire.VrfSignature) bool
	// Keep stores the ballot and hands it to the tortoise (spec 06 §7.3
	// steps 7 and 8). It tells whether the ballot was there before, and
	// whether storing it proved its author malicious.
	Keep(b *Valid) (Kept, error)
}

// Kept is what became of a valid ballot.
type Kept struct {
	Known     bool
	Malicious bool
}

// Valid is a ballot that passed every check.
type Valid struct {
	ID     wire.BallotID
	Hash   wire.Hash32
	Ballot *wire.Ballot
	ATX    ATX
	// Beacon and Slots are the ballot's own or its reference's.
	Beacon wire.Beacon
	Slots  uint32
}
