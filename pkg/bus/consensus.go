package bus

import (
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// ConsensusReply tells how far consensus is.
type ConsensusReply struct {
	// Current is the clock's layer, Processed the last one tallied, Verified
	// the last one whose blocks are decided.
	Current, Processed, Verified wire.LayerID
	// Synced tells whether the node takes part in gossip duties.
	Synced bool
}

// ConsensusStatus asks how far consensus is. It reads only.
func ConsensusStatus() Endpoint[None, ConsensusReply] {
	return Endpoint[None, ConsensusReply]{
		subject: "consensus.status", owner: ConsensusService,
		req: none(), rep: scale[ConsensusReply](),
	}
}

// Tick is the start of a layer, as consensus's clock sees it.
type Tick struct {
	Layer wire.LayerID
}

// LayerTick tells services of a new layer. It may be lost; who needs every
// layer reads the clock.
func LayerTick() Topic[Tick] {
	return Topic[Tick]{subject: "consensus.layer", owner: ConsensusService, form: scale[Tick]()}
}

// Code describes the reply on the wire.
func (r *ConsensusReply) Code(c *codec.Coder) {
	layer(c, &r.Current)
	layer(c, &r.Processed)
	layer(c, &r.Verified)
	c.Bool(&r.Synced)
}

// Code describes the message on the wire.
func (t *Tick) Code(c *codec.Coder) { layer(c, &t.Layer) }
