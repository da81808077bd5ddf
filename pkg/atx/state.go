package atx

import "github.com/smeshery/smeshery/pkg/wire"

// Row is what is stored of an ATX beside its blob (spec 04 §13).
type Row struct {
	ID             wire.ATXID
	PublishEpoch   wire.EpochID
	NodeID         wire.NodeID
	EffectiveUnits uint32
	// Commitment is set in initial ATXs only.
	Commitment  *wire.ATXID
	VRFNonce    uint64
	Coinbase    wire.Address
	BaseHeight  uint64
	Ticks       uint64
	Weight      uint64
	Sequence    uint64
	MarriageATX *wire.ATXID
	// Received is in nanoseconds of Unix time; 0 for an ATX that came from a
	// checkpoint and has no blob. The store sets it.
	Received int64
	Validity Validity
}

// Height is the end of the ticks that the ATX stands on. Like everywhere else
// in the network the sum wraps.
func (r *Row) Height() uint64 { return r.BaseHeight + r.Ticks }

// TargetEpoch is the epoch that the ATX gives eligibility in.
func (r *Row) TargetEpoch() wire.EpochID { return r.PublishEpoch + 1 }

// Validity says what is known about the proofs of space of an ATX and its
// ancestors. It is a local opinion (spec 04 §11).
type Validity uint8

// Validities, as stored.
const (
	ValidityUnknown Validity = iota
	ValidityValid
	ValidityInvalid
)

// Post is one identity's share of an ATX (spec 04 §13, table posts).
type Post struct {
	NodeID wire.NodeID
	// Previous is zero where there is none.
	Previous  wire.ATXID
	PrevIndex uint32
	// Units are as declared.
	Units uint32
}

// PoetProof is what is needed of a stored PoET proof.
type PoetProof struct {
	Leaves    uint64
	Statement wire.Hash32
}

// MarriageID numbers a set of married identities. IDs grow; joining sets keeps
// the smallest.
type MarriageID uint64

// Marriage is an identity's row in the table of marriages (spec 04 §14.2).
type Marriage struct {
	ID        MarriageID
	ATX       wire.ATXID
	NodeID    wire.NodeID
	Index     int         // of the certificate in the ATX
	Target    wire.NodeID // signer of the ATX
	Signature wire.EdSignature
}

// Reader is what the rules read about stored ATXs. The bool says whether there
// is such a thing. A service that handles batches answers from rows it has
// loaded for the whole batch.
type Reader interface {
	ATX(wire.ATXID) (Row, bool, error)
	// Units are what an identity declared in an ATX.
	Units(wire.ATXID, wire.NodeID) (uint32, bool, error)
	// Commitment is that of the identity's newest ATX row that has one.
	Commitment(wire.NodeID) (wire.ATXID, bool, error)
	Poet(wire.PoetProofRef) (PoetProof, bool, error)
	// Malicious looks into the first generation's table only.
	Malicious(wire.NodeID) (bool, error)
}

// MarriageReader reads the table of marriages.
type MarriageReader interface {
	Marriage(wire.NodeID) (Marriage, bool, error)
	// MarriageSet lists the identities of a set in the order of insertion.
	MarriageSet(MarriageID) ([]wire.NodeID, error)
	// LastMarriageID is the greatest ID in use, or 0.
	LastMarriageID() (MarriageID, error)
	// MaliciousMarried looks into the second generation's table only.
	MaliciousMarried(wire.NodeID) (bool, error)
}

// Evidence finds the ATXs that a new one collides with. It is read before the
// new one is stored, in the same transaction.
type Evidence interface {
	// SignedIn finds an ATX that the identity signed for a publish epoch.
	SignedIn(wire.NodeID, wire.EpochID) (wire.ATXID, bool, error)
	// PostIn finds an ATX with a post of the identity in a publish epoch.
	PostIn(wire.NodeID, wire.EpochID) (wire.ATXID, bool, error)
	// LastPost is the newest ATX with a post of the identity that was
	// published before an epoch.
	LastPost(wire.NodeID, wire.EpochID) (wire.ATXID, bool, error)
	// PostOn finds an ATX with a post of the identity on the given previous
	// ATX. Zero stands for none, and for the unknown one of a checkpoint.
	PostOn(wire.NodeID, wire.ATXID) (wire.ATXID, bool, error)
	// MergedIn finds an ATX with a marriage ATX and a publish epoch.
	MergedIn(marriage wire.ATXID, publish wire.EpochID) (wire.ATXID, bool, error)
	// Blob is the ATX as stored; false for a checkpointed one.
	Blob(wire.ATXID) ([]byte, bool, error)
	// Own tells whether the identity is one of this node's.
	Own(wire.NodeID) bool
}

// State is everything that Process reads.
type State interface {
	Reader
	MarriageReader
	Evidence
}
