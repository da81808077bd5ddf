package bus

import (
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// LayerNews is what became known of a layer from outside of gossip: from a
// recording, a database that is taken over, or peers' answers while syncing.
type LayerNews struct {
	Layer wire.LayerID
	// Output is hare's output; zero is the empty layer, nil is no word of it.
	Output *wire.BlockID
	// Certificate is the certificate's bytes; it is judged before Output is
	// believed. Nil takes Output on the caller's word.
	Certificate []byte
	// Coin is the layer's weak coin, nil if it is not known.
	Coin *bool
}

// TellLayer hands news of a layer to consensus. A repeat is harmless: the
// first word on a layer stands.
func TellLayer() Endpoint[LayerNews, Judgement] {
	return Endpoint[LayerNews, Judgement]{
		subject: "consensus.tell", owner: ConsensusService,
		req: scale[LayerNews](), rep: judgement(),
	}
}

// ProcessRequest names a layer all of whose objects were offered.
type ProcessRequest struct {
	Layer wire.LayerID
}

// ProcessReply tells how far the node is after it.
type ProcessReply struct {
	Processed, Verified, InState wire.LayerID
	// Missing are blocks whose bodies have to be offered; the layer is
	// processed again then.
	Missing []wire.BlockID
}

// ProcessLayer tallies the votes up to a layer and makes the state follow.
// A repeat finds the work done.
func ProcessLayer() Endpoint[ProcessRequest, ProcessReply] {
	return Endpoint[ProcessRequest, ProcessReply]{
		subject: "consensus.process", owner: ConsensusService,
		req: scale[ProcessRequest](), rep: scale[ProcessReply](),
	}
}

// NewRows hints that the owner of a feed has new rows. It may be lost; followers
// poll as well.
func NewRows(owner, feed string) Topic[None] {
	return Topic[None]{subject: "rows." + owner + "." + feed, owner: owner, form: none()}
}

// Feeds of stored rows.
const (
	FeedATXs      = "atxs"
	FeedMalicious = "malicious"
	FeedBlocks    = "blocks"
)

// Code describes the request on the wire.
func (n *LayerNews) Code(c *codec.Coder) {
	layer(c, &n.Layer)
	codec.OptionFixed(c, &n.Output)
	c.Bytes(&n.Certificate, 1<<20)
	codeOptionalBool(c, &n.Coin)
}

func codeOptionalBool(c *codec.Coder, v **bool) {
	present := *v != nil
	c.Bool(&present)
	if !present {
		*v = nil
		return
	}
	if c.Reading() {
		*v = new(bool)
	}
	c.Bool(*v)
}

// Code describes the request on the wire.
func (r *ProcessRequest) Code(c *codec.Coder) { layer(c, &r.Layer) }

// Code describes the reply on the wire.
func (r *ProcessReply) Code(c *codec.Coder) {
	layer(c, &r.Processed)
	layer(c, &r.Verified)
	layer(c, &r.InState)
	codec.FixedList(c, &r.Missing, 1<<20)
}
