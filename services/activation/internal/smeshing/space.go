package smeshing

import (
	"context"
	"time"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Space is where identities' proofs of space come from: own workers, or
// post-services that dial in. It is used from many goroutines.
type Space interface {
	// Info is what is known of the identity's data; ok is false until it is
	// initialised (or its post-service is connected).
	Info(ctx context.Context, id wire.NodeID) (info SpaceInfo, ok bool, err error)
	// Initialize makes sure of the identity's data and returns when it is
	// complete. A repeat goes on where it stopped.
	Initialize(ctx context.Context, setup SpaceSetup) (SpaceInfo, error)
	// Prove makes the proof for a challenge; it waits for a worker or a
	// connection until deadline. A repeat for the same challenge joins or returns
	// the stored proof.
	Prove(ctx context.Context, id wire.NodeID, challenge wire.Hash32, deadline time.Time) (SpaceProof, error)
}

// SpaceSetup says what data an identity wants.
type SpaceSetup struct {
	Node       wire.NodeID
	Commitment wire.ATXID
	Units      uint32
}

// SpaceInfo describes the data that an identity has.
type SpaceInfo struct {
	Node          wire.NodeID
	Commitment    wire.ATXID
	Units         uint32
	LabelsPerUnit uint64
	// Nonce is the VRF nonce; nil while none was found.
	Nonce *uint64
}

// SpaceProof is a proof of space, with the data that it was made over.
type SpaceProof struct {
	Post wire.PostV1
	Info SpaceInfo
}
