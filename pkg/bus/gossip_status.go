package bus

import "github.com/smeshery/smeshery/pkg/codec"

// GossipReply tells how gossip is connected.
type GossipReply struct {
	// Peers is the number of connected peers.
	Peers uint32
}

// GossipStatus asks how gossip is connected. It reads only.
func GossipStatus() Endpoint[None, GossipReply] {
	return Endpoint[None, GossipReply]{
		subject: "gossip.status", owner: GossipService,
		req: none(), rep: scale[GossipReply](),
	}
}

// Code describes the reply on the wire.
func (r *GossipReply) Code(c *codec.Coder) { c.U32(&r.Peers) }
