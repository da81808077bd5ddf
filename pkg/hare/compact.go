package hare

import (
	"slices"

	"github.com/smeshery/smeshery/pkg/wire"
)

// WireForm is a signed message as it goes on the wire: a hare4 preround swaps
// its list for compact ids (spec 05 §10.1). The error is a *RuleError.
func (h *Hare) WireForm(m *wire.HareMessage) (*wire.HareMessage, error) {
	wired, err := h.wireForm(m)
	if err != nil {
		return nil, err
	}
	return wired, nil
}

func (h *Hare) wireForm(m *wire.HareMessage) (*wire.HareMessage, *RuleError) {
	wired := *m
	if !h.isCompact(m) {
		return &wired, nil
	}
	full := m.Body.Value.Proposals
	if len(full) > wire.MaxCompactResponse {
		return nil, broken(FetchFull, "%d proposals could not be served", len(full))
	}
	compact := make(map[wire.ProposalID]*wire.CompactProposalID)
	for _, p := range h.node.LocalProposals(m.Body.Layer) {
		compact[p.ID] = p.Compact
	}
	wired.Body.Value.Proposals = nil
	wired.Body.Value.CompactProposals = make([]wire.CompactProposalID, 0, len(full))
	for _, id := range full {
		if compact[id] == nil {
			return nil, broken(NoProposals, "proposal %v has no compact id", id)
		}
		wired.Body.Value.CompactProposals = append(wired.Body.Value.CompactProposals, *compact[id])
	}
	return &wired, nil
}

// expand recovers the full list of a compact message from the layer's
// proposals, or else from the peer (spec 05 §10.2).
func (h *Hare) expand(in incoming) Step {
	body := &in.message.Body
	in.id, in.compact = body.Hash(), len(body.Value.CompactProposals)
	local := h.node.LocalProposals(body.Layer)
	if len(local) == 0 {
		return refuse(broken(NoProposals, "layer %d", body.Layer))
	}
	full, ok := match(body.Value.CompactProposals, local)
	if !ok {
		return h.fetch(in)
	}
	return h.verify(in.with(full))
}

// with puts the full list into the message.
func (in incoming) with(full []wire.ProposalID) incoming {
	m := *in.message
	m.Body.Value.Proposals, m.Body.Value.CompactProposals = full, nil
	in.message, in.recovered = &m, true
	return in
}

// match finds a proposal for every compact id, the smallest unused one first,
// and sorts them.
func match(compact []wire.CompactProposalID, local []LocalProposal) ([]wire.ProposalID, bool) {
	if len(compact) > len(local) {
		return nil, false
	}
	local = slices.SortedFunc(slices.Values(local), func(a, b LocalProposal) int {
		return wire.Compare20(a.ID, b.ID)
	})
	unused := make(map[wire.CompactProposalID][]wire.ProposalID, len(local))
	for _, p := range local {
		if p.Compact != nil {
			unused[*p.Compact] = append(unused[*p.Compact], p.ID)
		}
	}
	full := make([]wire.ProposalID, 0, len(compact))
	for _, c := range compact {
		ids := unused[c]
		if len(ids) == 0 {
			return nil, false
		}
		full, unused[c] = append(full, ids[0]), ids[1:]
	}
	slices.SortFunc(full, wire.Compare20[wire.ProposalID])
	return full, true
}
