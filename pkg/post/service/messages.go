package service

import "github.com/smeshery/smeshery/pkg/post"

// Request is what the node asks. Exactly one of Metadata and GenProof is set;
// none is a request that the service answers with StatusError.
type Request struct {
	Metadata bool
	GenProof *GenProofRequest
}

// GenProofRequest asks for a proof; a valid challenge has 32 bytes.
type GenProofRequest struct {
	Challenge []byte
}

// Response is what the service answers: Metadata or GenProof.
type Response struct {
	Metadata *MetadataResponse
	GenProof *GenProofResponse
}

// MetadataResponse says what data the service has. Meta is nil if it says nothing.
type MetadataResponse struct {
	Meta *Metadata
}

// Metadata describes the data of a service. A Nonce of zero is a nonce; nil is
// none.
type Metadata struct {
	NodeID        []byte
	CommitmentATX []byte
	Nonce         *uint64
	NumUnits      uint32
	LabelsPerUnit uint64
}

// Status of proving.
type Status uint32

// The statuses. OK without a proof means that proving goes on.
const (
	StatusUnspecified Status = 0
	StatusOK          Status = 1
	StatusError       Status = 2
)

// GenProofResponse answers a GenProofRequest.
type GenProofResponse struct {
	Status   Status
	Proof    *post.Proof
	Metadata *ProofMetadata
}

// ProofMetadata says what a proof is about.
type ProofMetadata struct {
	Challenge []byte
	Meta      *Metadata
}
