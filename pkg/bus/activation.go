package bus

import (
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// SignItem asks for one signature. The guard derives the slot from Body, which
// it decodes as the domain demands; what it cannot place it does not sign.
type SignItem struct {
	NodeID wire.NodeID
	// Domain is the signature domain of spec 01 §18.2.
	Domain uint8
	// Body is exactly the bytes that are signed, without prefix and domain.
	Body []byte
}

// SignRequest asks for many signatures at once: one guard transaction.
type SignRequest struct {
	Items []SignItem
}

// SignOutcome is the fate of one item.
type SignOutcome uint8

const (
	// SignUnknown: we failed; nothing is known to be signed. Ask again.
	SignUnknown SignOutcome = iota
	// Signed: Signature holds it.
	Signed
	// SignRefused: the slot holds other bytes, or the domain has no door here.
	SignRefused
	// SignNotOurs: the identity is not held by this activation, or not now.
	SignNotOurs
)

// SignResult is the fate of the item at the same index.
type SignResult struct {
	Outcome SignOutcome
	// Reason is why it was refused, for the audit log.
	Reason    string
	Signature wire.EdSignature
}

// SignReply answers a SignRequest in its order.
type SignReply struct {
	Results []SignResult
}

// maxSignBatch is how many signatures one request may ask for.
const maxSignBatch = 1 << 15

// Sign asks the activation that goes by the name of holder to sign as identities
// that it holds. Who holds an identity stands in activation's leases. A repeat is
// harmless: the guard gives the same signature for the same bytes.
func Sign(holder string) Endpoint[SignRequest, SignReply] {
	return Endpoint[SignRequest, SignReply]{
		subject: "activation.sign." + holder, owner: ActivationService,
		req: scale[SignRequest](), rep: scale[SignReply](),
	}
}

// VRFItem asks for one VRF proof, which needs no slot: it is a function of key
// and message.
type VRFItem struct {
	NodeID  wire.NodeID
	Message []byte
}

// VRFRequest asks for many proofs.
type VRFRequest struct {
	Items []VRFItem
}

// VRFResult is the fate of the item at the same index.
type VRFResult struct {
	Outcome SignOutcome
	Proof   wire.VrfSignature
}

// VRFReply answers a VRFRequest in its order.
type VRFReply struct {
	Results []VRFResult
}

// ProveVRF asks the activation that goes by the name of holder for VRF proofs. A
// repeat gives the same bytes.
func ProveVRF(holder string) Endpoint[VRFRequest, VRFReply] {
	return Endpoint[VRFRequest, VRFReply]{
		subject: "activation.vrf." + holder, owner: ActivationService,
		req: scale[VRFRequest](), rep: scale[VRFReply](),
	}
}

// IdentitiesReply lists the identities that an activation holds now.
type IdentitiesReply struct {
	NodeIDs []wire.NodeID
}

// Identities asks the activation that goes by the name of holder which
// identities it holds. It reads only.
func Identities(holder string) Endpoint[None, IdentitiesReply] {
	return Endpoint[None, IdentitiesReply]{
		subject: "activation.identities." + holder, owner: ActivationService,
		req: none(), rep: scale[IdentitiesReply](),
	}
}

// Work wakes workers that can do a kind of task. Lost wake-ups are repaired by
// the workers' poll, repeats find the task taken.
func Work(kind string) Topic[None] {
	return Topic[None]{subject: "work." + kind, owner: ActivationService, stream: WorkStream, form: none()}
}

// Code describes the item on the wire.
func (i *SignItem) Code(c *codec.Coder) {
	c.Fixed(i.NodeID[:])
	c.U8(&i.Domain)
	c.Bytes(&i.Body, 4<<20)
}

// Code describes the request on the wire.
func (r *SignRequest) Code(c *codec.Coder) { codec.List(c, &r.Items, maxSignBatch) }

// Code describes the result on the wire.
func (r *SignResult) Code(c *codec.Coder) {
	o := uint8(r.Outcome)
	c.U8(&o)
	r.Outcome = SignOutcome(o)
	c.String(&r.Reason, 256)
	c.Fixed(r.Signature[:])
}

// Code describes the reply on the wire.
func (r *SignReply) Code(c *codec.Coder) { codec.List(c, &r.Results, maxSignBatch) }

// Code describes the item on the wire.
func (i *VRFItem) Code(c *codec.Coder) {
	c.Fixed(i.NodeID[:])
	c.Bytes(&i.Message, 1<<16)
}

// Code describes the request on the wire.
func (r *VRFRequest) Code(c *codec.Coder) { codec.List(c, &r.Items, maxSignBatch) }

// Code describes the result on the wire.
func (r *VRFResult) Code(c *codec.Coder) {
	o := uint8(r.Outcome)
	c.U8(&o)
	r.Outcome = SignOutcome(o)
	c.Fixed(r.Proof[:])
}

// Code describes the reply on the wire.
func (r *VRFReply) Code(c *codec.Coder) { codec.List(c, &r.Results, maxSignBatch) }

// Code describes the reply on the wire.
func (r *IdentitiesReply) Code(c *codec.Coder) { codec.FixedList(c, &r.NodeIDs, 1<<20) }
