package bus

import (
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// ExecuteRequest makes a layer's block count for accounts.
type ExecuteRequest struct {
	Layer wire.LayerID
	// Block is empty (zero) for a layer without one.
	Block wire.BlockID
}

// ExecuteReply tells the accounts' root after the layer.
type ExecuteReply struct {
	StateRoot wire.Hash32
	// Executed and Ineffective count the block's transactions.
	Executed, Ineffective uint32
}

// Execute applies one layer, in one transaction. Layers come in order: another
// than the next is Conflict. A repeat with the same block answers the same root;
// with another block it is Conflict, and Revert comes first.
func Execute() Endpoint[ExecuteRequest, ExecuteReply] {
	return Endpoint[ExecuteRequest, ExecuteReply]{
		subject: "state.execute", owner: StateService,
		req: scale[ExecuteRequest](), rep: scale[ExecuteReply](),
	}
}

// RevertRequest names the last layer whose effects stay.
type RevertRequest struct {
	To wire.LayerID
}

// RevertReply tells the accounts' root after that layer.
type RevertReply struct {
	StateRoot wire.Hash32
}

// Revert undoes the layers after To. A repeat finds nothing to undo.
func Revert() Endpoint[RevertRequest, RevertReply] {
	return Endpoint[RevertRequest, RevertReply]{
		subject: "state.revert", owner: StateService,
		req: scale[RevertRequest](), rep: scale[RevertReply](),
	}
}

// SelectRequest asks for transactions to propose.
type SelectRequest struct {
	Layer wire.LayerID
	// Count is how many a proposal takes.
	Count uint32
	// Seed makes the choice repeatable.
	Seed [32]byte
}

// SelectReply lists the chosen transactions in the proposal's order.
type SelectReply struct {
	Transactions []wire.TransactionID
}

// Select chooses transactions from the mempool for one proposal. It reads only.
func Select() Endpoint[SelectRequest, SelectReply] {
	return Endpoint[SelectRequest, SelectReply]{
		subject: "state.select", owner: StateService,
		req: scale[SelectRequest](), rep: scale[SelectReply](),
	}
}

// SubmitTransaction judges, stores and gossips a transaction of a local client;
// the body is its raw bytes. A repeat answers the same.
func SubmitTransaction() Endpoint[PeerMessage, Judgement] {
	return Endpoint[PeerMessage, Judgement]{
		subject: "state.submit", owner: StateService,
		req: peerMessage(), rep: judgement(),
	}
}

// Code describes the request on the wire.
func (r *ExecuteRequest) Code(c *codec.Coder) {
	layer(c, &r.Layer)
	c.Fixed(r.Block[:])
}

// Code describes the reply on the wire.
func (r *ExecuteReply) Code(c *codec.Coder) {
	c.Fixed(r.StateRoot[:])
	c.U32(&r.Executed)
	c.U32(&r.Ineffective)
}

// Code describes the request on the wire.
func (r *RevertRequest) Code(c *codec.Coder) { layer(c, &r.To) }

// Code describes the reply on the wire.
func (r *RevertReply) Code(c *codec.Coder) { c.Fixed(r.StateRoot[:]) }

// Code describes the request on the wire.
func (r *SelectRequest) Code(c *codec.Coder) {
	layer(c, &r.Layer)
	c.U32(&r.Count)
	c.Fixed(r.Seed[:])
}

// Code describes the reply on the wire.
func (r *SelectReply) Code(c *codec.Coder) { codec.FixedList(c, &r.Transactions, 1<<20) }

// layer codes a layer at full width.
func layer(c *codec.Coder, l *wire.LayerID) {
	v := uint32(*l)
	c.U32(&v)
	*l = wire.LayerID(v)
}
