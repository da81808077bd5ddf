package blocks

import (
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/events"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/consensus/internal/hare"
)

// included are the own proposals among those of a block (spec 06 §6.7).
func (w *Worker) included(parts []hare.Accepted) (out []*events.Proposal) {
	own := make(map[wire.NodeID]bool)
	for _, id := range w.deps.Keys.Identities() {
		own[id] = true
	}
	for _, part := range parts {
		if p := part.Proposal; own[p.SmesherID] {
			out = append(out, &events.Proposal{
				Status: events.ProposalIncluded, ID: p.ID(), Node: p.SmesherID, Layer: p.Layer, Body: codec.MustEncode(p),
			})
		}
	}
	return out
}
