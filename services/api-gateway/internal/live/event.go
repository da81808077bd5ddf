package live

import (
	pb "github.com/spacemeshos/api/release/go/spacemesh/v1"

	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/store/read/state"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Kind is a kind of internal events (spec 09 §7.2).
type Kind uint8

// Kinds of events.
const (
	KindTransactions Kind = iota
	KindAccounts
	KindRewards
	KindResults
	KindLayers
	KindActivations
	KindMalfeasance
	KindProposals
	KindStatus
	KindErrors
	KindUsers
	kinds
)

// Event is something that subscriptions are told. It is shared: nobody changes it.
type Event interface {
	Kind() Kind
	// Items is how much of a subscription's buffer it takes.
	Items() int
}

// Transactions entered the mempool.
type Transactions struct{ Transactions []state.Transaction }

// Accounts changed; they are read when they are told of.
type Accounts struct{ Addresses []wire.Address }

// Rewards were written with a layer.
type Rewards struct{ Rewards []wire.Reward }

// Results are of the transactions that a layer executed.
type Results struct{ Results []state.Result }

// Layer is a layer that came to a status.
type Layer struct {
	Layer  wire.LayerID
	Status events.LayerStatus
}

// Activation is a new valid ATX.
type Activation struct{ ATX activation.ATXDetails }

// Malfeasance is a new proof against an identity, as it is stored.
type Malfeasance struct {
	Node  wire.NodeID
	Proof []byte
}

// Proposal is an own proposal, published or included in a block.
type Proposal struct{ *events.Proposal }

// Status says that the node's status may have changed.
type Status struct{}

// Error is a log record of level error or above, or the notice of the end.
type Error struct {
	Level pb.LogLevel
	Text  string
	// Stack of the goroutine that logged.
	Stack string
}

// User is an event for the operator. Sequence is its place in the stream of
// all events; one such event may make several for users.
type User struct {
	Sequence uint64
	Event    *pb.Event
}

// Kind is Event.
func (Transactions) Kind() Kind { return KindTransactions }

// Kind is Event.
func (Accounts) Kind() Kind { return KindAccounts }

// Kind is Event.
func (Rewards) Kind() Kind { return KindRewards }

// Kind is Event.
func (Results) Kind() Kind { return KindResults }

// Kind is Event.
func (Layer) Kind() Kind { return KindLayers }

// Kind is Event.
func (Activation) Kind() Kind { return KindActivations }

// Kind is Event.
func (Malfeasance) Kind() Kind { return KindMalfeasance }

// Kind is Event.
func (Proposal) Kind() Kind { return KindProposals }

// Kind is Event.
func (Status) Kind() Kind { return KindStatus }

// Kind is Event.
func (Error) Kind() Kind { return KindErrors }

// Kind is Event.
func (User) Kind() Kind { return KindUsers }

// Items is Event.
func (e Transactions) Items() int { return len(e.Transactions) }

// Items is Event.
func (e Accounts) Items() int { return len(e.Addresses) }

// Items is Event.
func (e Rewards) Items() int { return len(e.Rewards) }

// Items is Event.
func (e Results) Items() int { return len(e.Results) }

// Items is Event.
func (Layer) Items() int { return 1 }

// Items is Event.
func (Activation) Items() int { return 1 }

// Items is Event.
func (Malfeasance) Items() int { return 1 }

// Items is Event.
func (Proposal) Items() int { return 1 }

// Items is Event.
func (Status) Items() int { return 1 }

// Items is Event.
func (Error) Items() int { return 1 }

// Items is Event.
func (User) Items() int { return 1 }
