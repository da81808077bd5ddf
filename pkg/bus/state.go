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

// ExecuteOptimistic applies a layer before its block exists: the transactions are
// executed in the order given, and the block holds those that count (spec 07
// §9.3). The block is stored and the layer applied in one transaction. Errors
// and repeats are those of Execute: a repeat answers the stored block.
func ExecuteOptimistic() Endpoint[OptimisticRequest, OptimisticReply] {
	return Endpoint[OptimisticRequest, OptimisticReply]{
		subject: "state.execute_optimistic", owner: StateService,
		req: scale[OptimisticRequest](), rep: scale[OptimisticReply](),
	}
}

// OptimisticRequest is the block as it would be if all transactions counted.
type OptimisticRequest struct {
	Block wire.InnerBlock
}

// OptimisticReply is the block that came of it.
type OptimisticReply struct {
	ID wire.BlockID
	// Body is the block's bytes.
	Body      []byte
	StateRoot wire.Hash32
}

// ProposedTransactions are those of a proposal that was judged good.
type ProposedTransactions struct {
	Layer        wire.LayerID
	Transactions []wire.TransactionID
}

// LinkProposal tells state which transactions a proposal of a layer lists (spec
// 07 §13.4); the reply names those that are not stored, to be fetched. A repeat
// changes nothing.
func LinkProposal() Endpoint[ProposedTransactions, SelectReply] {
	return Endpoint[ProposedTransactions, SelectReply]{
		subject: "state.link_proposal", owner: StateService,
		req: scale[ProposedTransactions](), rep: scale[SelectReply](),
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

// ProjectedRequest names accounts.
type ProjectedRequest struct {
	Addresses []wire.Address
}

// Projection is an account after everything of its own that waits in the mempool.
type Projection struct {
	Nonce, Balance uint64
}

// ProjectedReply has a projection for each address of the request, in its order;
// an account that was never written has zeros.
type ProjectedReply struct {
	Projections []Projection
}

// maxProjected is how many accounts one request may name.
const maxProjected = 1 << 15

// Projected asks what accounts will hold once the mempool is executed (spec 09
// §3.1). It reads only.
func Projected() Endpoint[ProjectedRequest, ProjectedReply] {
	return Endpoint[ProjectedRequest, ProjectedReply]{
		subject: "state.projected", owner: StateService,
		req: scale[ProjectedRequest](), rep: scale[ProjectedReply](),
	}
}

// Code describes the request on the wire.
func (r *ProjectedRequest) Code(c *codec.Coder) { codec.FixedList(c, &r.Addresses, maxProjected) }

// Code describes the projection on the wire.
func (p *Projection) Code(c *codec.Coder) {
	c.Compact64(&p.Nonce)
	c.Compact64(&p.Balance)
}

// Code describes the reply on the wire.
func (r *ProjectedReply) Code(c *codec.Coder) { codec.List(c, &r.Projections, maxProjected) }

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
func (r *OptimisticRequest) Code(c *codec.Coder) { r.Block.Code(c) }

// Code describes the reply on the wire.
func (r *OptimisticReply) Code(c *codec.Coder) {
	c.Fixed(r.ID[:])
	c.Bytes(&r.Body, 16<<20)
	c.Fixed(r.StateRoot[:])
}

// Code describes the request on the wire.
func (r *ProposedTransactions) Code(c *codec.Coder) {
	layer(c, &r.Layer)
	codec.FixedList(c, &r.Transactions, 1<<20)
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
