package hare

import (
	"errors"
	"slices"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Errors of adding a proposal (spec 05 §8).
var (
	ErrLayerEvicted  = errors.New("layer's proposals are evicted")
	ErrProposalKnown = errors.New("proposal is already known")
)

// StoredProposal is what hare keeps of a valid proposal.
type StoredProposal struct {
	ID      wire.ProposalID
	Layer   wire.LayerID
	ATX     wire.ATXID
	Smesher wire.NodeID
	// Flagged proposals come from an equivocator.
	Flagged bool
	// Beacon is the one that the reference ballot declares.
	Beacon wire.Beacon
	// FirstProof is the first eligibility proof; nil without any.
	FirstProof *wire.VrfSignature
}

// Proposals are the proposals of the last layers, which both versions share.
type Proposals struct {
	keep    uint32
	evicted wire.LayerID // this layer and all below
	layers  map[wire.LayerID]map[wire.ProposalID]StoredProposal
}

// NewProposals keeps zdist+1 layers. Everything up to the current layer counts
// as evicted (spec 05 §6.1).
func NewProposals(zdist uint32, current wire.LayerID) *Proposals {
	return &Proposals{
		keep:    zdist,
		evicted: current,
		layers:  make(map[wire.LayerID]map[wire.ProposalID]StoredProposal),
	}
}

// OnLayer evicts what is too old once a layer begins.
func (s *Proposals) OnLayer(layer wire.LayerID) {
	if uint32(layer) <= s.keep {
		return
	}
	s.evicted = max(s.evicted, layer-wire.LayerID(s.keep)-1)
	for l := range s.layers {
		if l <= s.evicted {
			delete(s.layers, l)
		}
	}
}

// Add keeps a proposal. The errors are ErrLayerEvicted and ErrProposalKnown.
func (s *Proposals) Add(p StoredProposal) error {
	if p.Layer <= s.evicted {
		return ErrLayerEvicted
	}
	if s.Has(p.Layer, p.ID) {
		return ErrProposalKnown
	}
	if s.layers[p.Layer] == nil {
		s.layers[p.Layer] = make(map[wire.ProposalID]StoredProposal)
	}
	s.layers[p.Layer][p.ID] = p
	return nil
}

// Has tells whether the proposal is known.
func (s *Proposals) Has(layer wire.LayerID, id wire.ProposalID) bool {
	_, ok := s.layers[layer][id]
	return ok
}

// Layer are the layer's proposals, ascending.
func (s *Proposals) Layer(layer wire.LayerID) []StoredProposal {
	out := make([]StoredProposal, 0, len(s.layers[layer]))
	for _, p := range s.layers[layer] {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b StoredProposal) int { return wire.Compare20(a.ID, b.ID) })
	return out
}

// Local are the layer's proposals with their compact ids (spec 05 §10).
func (s *Proposals) Local(layer wire.LayerID) []LocalProposal {
	stored := s.Layer(layer)
	out := make([]LocalProposal, len(stored))
	for i, p := range stored {
		out[i].ID = p.ID
		if p.FirstProof != nil {
			out[i].Compact = new(wire.CompactProposalID(p.FirstProof[:4]))
		}
	}
	return out
}
