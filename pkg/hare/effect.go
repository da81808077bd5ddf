package hare

import "github.com/smeshery/smeshery/pkg/wire"

// Effect is something that hare wants done.
type Effect interface{ effect() }

// Prove asks for the identities' VRF proofs of Message, to be answered with
// Proofs, or with Seats by a caller that has counted them.
type Prove struct {
	Layer      wire.LayerID
	At         wire.IterRound
	Beacon     wire.Beacon
	Message    []byte
	Identities []wire.NodeID
}

// Sign asks for the signatures of messages, each by its Sender. The answer to
// each is Signed. All messages of a round share their value.
type Sign struct {
	Layer    wire.LayerID
	At       wire.IterRound
	Messages []*wire.HareMessage
}

// Publish asks to gossip a message that hare has accepted itself.
type Publish struct {
	Topic   string
	Message []byte
}

// Fetch asks a peer for the full list of a compact message over an existing
// connection, within five seconds. The answer is Fetched.
type Fetch struct {
	Ticket  Ticket
	Peer    Peer
	Request wire.Hash32
}

// WeakCoin is a layer's coin; at most one a session.
type WeakCoin struct {
	Layer wire.LayerID
	Coin  bool
}

// Result is what was agreed on; an empty list is an empty block.
type Result struct {
	Layer     wire.LayerID
	Proposals []wire.ProposalID
}

// Equivocation asks to persist a proof and to mark its identity malicious. It
// is not gossiped: the messages it rests on are (spec 05 §9).
type Equivocation struct {
	Node  wire.NodeID
	Proof *wire.MalfeasanceProof
}

// TakeCharge keeps sync from processing the layer (spec 05 §6.1).
type TakeCharge struct{ Layer wire.LayerID }

// ReleaseCharge lets sync process the layer after all.
type ReleaseCharge struct{ Layer wire.LayerID }

// Ended says that a session is over; Err is nil after an agreement.
type Ended struct {
	Layer wire.LayerID
	Err   error
}

func (Prove) effect()         {}
func (Sign) effect()          {}
func (Publish) effect()       {}
func (Fetch) effect()         {}
func (WeakCoin) effect()      {}
func (Result) effect()        {}
func (Equivocation) effect()  {}
func (TakeCharge) effect()    {}
func (ReleaseCharge) effect() {}
func (Ended) effect()         {}
