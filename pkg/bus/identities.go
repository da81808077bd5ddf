package bus

import (
	"time"

	"github.com/smeshery/smeshery/pkg/wire"
)

// AddIdentityRequest names a key file in the directory of the activation.
type AddIdentityRequest struct {
	Name string `json:"name"`
	// Create makes a new key under the name, which must be free; otherwise the
	// file is there already. Keys never travel over the bus.
	Create bool `json:"create"`
}

// IdentityReply names an identity.
type IdentityReply struct {
	Node wire.NodeID `json:"node"`
}

// AddIdentity makes an activation smesh for one more identity. A repeat without
// Create changes nothing.
func AddIdentity(holder string) Endpoint[AddIdentityRequest, IdentityReply] {
	return Endpoint[AddIdentityRequest, IdentityReply]{
		subject: "activation.identity.add." + holder, owner: ActivationService,
		req: asJSON[AddIdentityRequest](1), rep: asJSON[IdentityReply](1),
	}
}

// IdentityInfo is an identity whose key an activation has.
type IdentityInfo struct {
	Node wire.NodeID `json:"node"`
	// Name is that of the key file.
	Name string `json:"name"`
	// Held: this activation signs for it now.
	Held bool `json:"held"`
	// Retired: it was exported, and nobody signs for it here.
	Retired bool `json:"retired"`
	// Step is where it is in its life, Until when that probably ends, Note why it
	// does not go on.
	Step    string       `json:"step"`
	Publish wire.EpochID `json:"publish"`
	Until   time.Time    `json:"until"`
	Note    string       `json:"note"`
}

// IdentityListReply lists identities in the order of their names.
type IdentityListReply struct {
	Identities []IdentityInfo `json:"identities"`
}

// ListIdentities asks an activation what identities it has the keys of. It reads
// only.
func ListIdentities(holder string) Endpoint[None, IdentityListReply] {
	return Endpoint[None, IdentityListReply]{
		subject: "activation.identity.list." + holder, owner: ActivationService,
		req: none(), rep: asJSON[IdentityListReply](1),
	}
}

// ExportIdentityRequest names an identity that moves elsewhere.
type ExportIdentityRequest struct {
	Node wire.NodeID `json:"node"`
}

// IdentityDocument is what the guard knows of an identity (the document is
// described in services/activation/README.md).
type IdentityDocument struct {
	Document []byte `json:"document"`
}

// ExportIdentity retires an identity for good and answers the guard's records of
// it. A repeat answers the same records.
func ExportIdentity(holder string) Endpoint[ExportIdentityRequest, IdentityDocument] {
	return Endpoint[ExportIdentityRequest, IdentityDocument]{
		subject: "activation.identity.export." + holder, owner: ActivationService,
		req: asJSON[ExportIdentityRequest](1), rep: asJSON[IdentityDocument](1),
	}
}

// ImportIdentity adds the guard's records of an identity to those that are here,
// and ends its retirement. A repeat changes nothing.
func ImportIdentity(holder string) Endpoint[IdentityDocument, IdentityReply] {
	return Endpoint[IdentityDocument, IdentityReply]{
		subject: "activation.identity.import." + holder, owner: ActivationService,
		req: asJSON[IdentityDocument](1), rep: asJSON[IdentityReply](1),
	}
}

// SmeshingRequest changes what is set and answers what is. A request without
// anything set reads only.
type SmeshingRequest struct {
	// Smeshing starts or stops the lives of identities; what they did stays.
	Smeshing *bool `json:"smeshing,omitempty"`
	// Coinbase is for ATXs whose proof of space is still to be made. It lasts
	// until the process ends.
	Coinbase *wire.Address `json:"coinbase,omitempty"`
}

// SmeshingReply is how an activation smeshes.
type SmeshingReply struct {
	Smeshing bool         `json:"smeshing"`
	Coinbase wire.Address `json:"coinbase"`
}

// Smeshing asks an activation how it smeshes, or tells it. A repeat changes
// nothing.
func Smeshing(holder string) Endpoint[SmeshingRequest, SmeshingReply] {
	return Endpoint[SmeshingRequest, SmeshingReply]{
		subject: "activation.smeshing." + holder, owner: ActivationService,
		req: asJSON[SmeshingRequest](1), rep: asJSON[SmeshingReply](1),
	}
}
