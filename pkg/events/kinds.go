package events

import (
	"time"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Transactions entered the mempool; from state.
type Transactions struct {
	IDs []wire.TransactionID `json:"ids"`
}

// LayerExecuted is a layer that changed accounts: its accounts, rewards and
// results are in the database under its number; from state.
type LayerExecuted struct {
	Layer wire.LayerID `json:"layer"`
	Block wire.BlockID `json:"block"`
}

// LayersReverted undid the layers above one; from state.
type LayersReverted struct {
	To wire.LayerID `json:"to"`
}

// LayerStatus is how far a layer has come (spec 09 §7.2).
type LayerStatus uint8

// Statuses of layers. The numbers are those of the specification.
const (
	LayerSeen     LayerStatus = 0
	LayerApproved LayerStatus = 1
	LayerApplied  LayerStatus = 3
)

// LayerUpdate is a layer that came to a status; from consensus.
type LayerUpdate struct {
	Layer  wire.LayerID `json:"layer"`
	Status LayerStatus  `json:"status"`
}

// ActivationStored is a new valid ATX; from activation.
type ActivationStored struct {
	ID wire.ATXID `json:"id"`
}

// MalfeasanceStored is a new proof, stored under an identity; from activation.
type MalfeasanceStored struct {
	Node wire.NodeID `json:"node"`
}

// ProposalStatus says what became of an own proposal.
type ProposalStatus uint8

// Statuses of proposals. The numbers are those of the API.
const (
	ProposalCreated  ProposalStatus = 0
	ProposalIncluded ProposalStatus = 1
)

// Proposal is an own proposal that was published, or got into a block; from
// consensus.
type Proposal struct {
	Status ProposalStatus  `json:"status"`
	ID     wire.ProposalID `json:"id"`
	Node   wire.NodeID     `json:"node"`
	Layer  wire.LayerID    `json:"layer"`
	// Body is the proposal's bytes.
	Body []byte `json:"body"`
}

// Beacon is the beacon that became known for an epoch; from consensus.
type Beacon struct {
	Epoch  wire.EpochID `json:"epoch"`
	Beacon wire.Beacon  `json:"beacon"`
}

// SlotCount is how many slots an identity has in a layer.
type SlotCount struct {
	Layer wire.LayerID `json:"layer"`
	Count uint32       `json:"count"`
}

// Eligibilities are the slots of an identity in an epoch; from consensus.
type Eligibilities struct {
	Node          wire.NodeID  `json:"node"`
	Epoch         wire.EpochID `json:"epoch"`
	Beacon        wire.Beacon  `json:"beacon"`
	ATX           wire.ATXID   `json:"atx"`
	ActiveSetSize uint32       `json:"active_set_size"`
	Slots         []SlotCount  `json:"slots"`
}

// InitStart is the beginning of an identity's initialisation; this one and all
// below are from activation.
type InitStart struct {
	Node       wire.NodeID `json:"node"`
	Commitment wire.ATXID  `json:"commitment"`
}

// InitProgress is how far an initialisation is; for displays.
type InitProgress struct {
	Node   wire.NodeID `json:"node"`
	Labels uint64      `json:"labels"`
	Total  uint64      `json:"total"`
}

// InitComplete is the end of an initialisation.
type InitComplete struct {
	Node wire.NodeID `json:"node"`
}

// InitFailed is an initialisation that ended with an error.
type InitFailed struct {
	Node       wire.NodeID `json:"node"`
	Commitment wire.ATXID  `json:"commitment"`
	Error      string      `json:"error"`
}

// PostServiceStarted is the start of a supervised post-service.
type PostServiceStarted struct{}

// PostServiceStopped is the end of a supervised post-service.
type PostServiceStopped struct{}

// PostStart is a proof of space that somebody works on.
type PostStart struct {
	Node      wire.NodeID `json:"node"`
	Challenge wire.Hash32 `json:"challenge"`
}

// PostComplete is a finished proof of space, or a failed one.
type PostComplete struct {
	Node      wire.NodeID `json:"node"`
	Challenge wire.Hash32 `json:"challenge"`
	Failed    bool        `json:"failed"`
	// Invalid says that it failed because the proof that was made is not valid.
	Invalid bool `json:"invalid,omitempty"`
}

// PoetWaitRound is an identity that waits until registration opens.
type PoetWaitRound struct {
	Node    wire.NodeID   `json:"node"`
	Current wire.EpochID  `json:"current"`
	Publish wire.EpochID  `json:"publish"`
	Wait    time.Duration `json:"wait"`
	Until   time.Time     `json:"until"`
}

// PoetRegistered is an accepted registration.
type PoetRegistered struct {
	Node  wire.NodeID `json:"node"`
	URL   string      `json:"url"`
	Round string      `json:"round"`
}

// PoetWaitProof is an identity that waits for the end of its round.
type PoetWaitProof struct {
	Node    wire.NodeID   `json:"node"`
	Publish wire.EpochID  `json:"publish"`
	Target  wire.EpochID  `json:"target"`
	Wait    time.Duration `json:"wait"`
	Until   time.Time     `json:"until"`
}

// PoetProofDownloaded is a PoET's proof, downloaded once for all identities.
type PoetProofDownloaded struct {
	URL   string `json:"url"`
	Round string `json:"round"`
	Ticks uint64 `json:"ticks"`
}

// PoetBestProof is the proof that an identity builds on.
type PoetBestProof struct {
	Node  wire.NodeID `json:"node"`
	URL   string      `json:"url"`
	Round string      `json:"round"`
	Ticks uint64      `json:"ticks"`
}

// ATXPublished is an identity's own ATX on the network.
type ATXPublished struct {
	Node    wire.NodeID   `json:"node"`
	Publish wire.EpochID  `json:"publish"`
	ID      wire.ATXID    `json:"id"`
	Wait    time.Duration `json:"wait"`
	Until   time.Time     `json:"until"`
}

// OwnMalfeasance is an identity of this node that the network will cancel.
type OwnMalfeasance struct {
	Node wire.NodeID `json:"node"`
}

// Kind is Body.
func (*Transactions) Kind() string { return "transactions" }

// Kind is Body.
func (*LayerExecuted) Kind() string { return "layer_executed" }

// Kind is Body.
func (*LayersReverted) Kind() string { return "layers_reverted" }

// Kind is Body.
func (*LayerUpdate) Kind() string { return "layer_update" }

// Kind is Body.
func (*ActivationStored) Kind() string { return "activation_stored" }

// Kind is Body.
func (*MalfeasanceStored) Kind() string { return "malfeasance_stored" }

// Kind is Body.
func (*Proposal) Kind() string { return "proposal" }

// Kind is Body.
func (*Beacon) Kind() string { return "beacon" }

// Kind is Body.
func (*Eligibilities) Kind() string { return "eligibilities" }

// Kind is Body.
func (*InitStart) Kind() string { return "init_start" }

// Kind is Body.
func (*InitProgress) Kind() string { return "init_progress" }

// Kind is Body.
func (*InitComplete) Kind() string { return "init_complete" }

// Kind is Body.
func (*InitFailed) Kind() string { return "init_failed" }

// Kind is Body.
func (*PostServiceStarted) Kind() string { return "post_service_started" }

// Kind is Body.
func (*PostServiceStopped) Kind() string { return "post_service_stopped" }

// Kind is Body.
func (*PostStart) Kind() string { return "post_start" }

// Kind is Body.
func (*PostComplete) Kind() string { return "post_complete" }

// Kind is Body.
func (*PoetWaitRound) Kind() string { return "poet_wait_round" }

// Kind is Body.
func (*PoetRegistered) Kind() string { return "poet_registered" }

// Kind is Body.
func (*PoetWaitProof) Kind() string { return "poet_wait_proof" }

// Kind is Body.
func (*PoetProofDownloaded) Kind() string { return "poet_proof_downloaded" }

// Kind is Body.
func (*PoetBestProof) Kind() string { return "poet_best_proof" }

// Kind is Body.
func (*ATXPublished) Kind() string { return "atx_published" }

// Kind is Body.
func (*OwnMalfeasance) Kind() string { return "own_malfeasance" }
