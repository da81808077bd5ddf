package hare

import (
	"sync"

	protocol "github.com/smeshery/smeshery/pkg/hare"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Accepted is a proposal that was judged good, with what its reference ballot says.
type Accepted struct {
	Proposal *wire.Proposal
	// Beacon and Slots are those of the epoch data in force.
	Beacon wire.Beacon
	Slots  uint32
	// Malicious is set if the ballot showed an equivocation.
	Malicious bool
}

// Proposals holds the proposals of the last layers, for hare and for making
// blocks. It is safe for concurrent use.
type Proposals struct {
	mu     sync.RWMutex
	known  *protocol.Proposals
	bodies map[wire.LayerID]map[wire.ProposalID]Accepted
	keep   uint32
}

// NewProposals keeps zdist+1 layers; what is of the current layer and below comes
// too late (spec 05 §6.1).
func NewProposals(zdist uint32, current wire.LayerID) *Proposals {
	return &Proposals{
		known:  protocol.NewProposals(zdist, current),
		bodies: make(map[wire.LayerID]map[wire.ProposalID]Accepted),
		keep:   zdist,
	}
}

// Add keeps a proposal. The errors are pkg/hare's ErrLayerEvicted and
// ErrProposalKnown.
func (s *Proposals) Add(a Accepted) error {
	p := a.Proposal
	stored := protocol.StoredProposal{
		ID: p.ID(), Layer: p.Layer, ATX: p.AtxID, Smesher: p.SmesherID, Flagged: a.Malicious, Beacon: a.Beacon,
	}
	if len(p.EligibilityProofs) > 0 {
		stored.FirstProof = &p.EligibilityProofs[0].Sig
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.known.Add(stored); err != nil {
		return err
	}
	if s.bodies[p.Layer] == nil {
		s.bodies[p.Layer] = make(map[wire.ProposalID]Accepted)
	}
	s.bodies[p.Layer][stored.ID] = a
	return nil
}

// Has tells whether a proposal is known.
func (s *Proposals) Has(layer wire.LayerID, id wire.ProposalID) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.known.Has(layer, id)
}

// Take answers the proposals of a layer in the order of their ids, and names those
// that are not here.
func (s *Proposals) Take(layer wire.LayerID, ids []wire.ProposalID) (found []Accepted, missing []wire.ProposalID) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, id := range ids {
		if a, ok := s.bodies[layer][id]; ok {
			found = append(found, a)
		} else {
			missing = append(missing, id)
		}
	}
	return found, missing
}

// Find looks for a proposal in all layers that are kept, for peers who ask by id.
func (s *Proposals) Find(id wire.ProposalID) (*wire.Proposal, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, layer := range s.bodies {
		if a, ok := layer[id]; ok {
			return a.Proposal, true
		}
	}
	return nil, false
}

// OnLayer evicts what is too old once a layer begins.
func (s *Proposals) OnLayer(layer wire.LayerID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known.OnLayer(layer)
	for l := range s.bodies {
		if uint64(l)+uint64(s.keep) < uint64(layer) {
			delete(s.bodies, l)
		}
	}
}

func (s *Proposals) local(layer wire.LayerID) []protocol.LocalProposal {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.known.Local(layer)
}

func (s *Proposals) layer(layer wire.LayerID) []protocol.StoredProposal {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.known.Layer(layer)
}

// Charges are the layers that hare decides and that sync leaves alone (spec 05
// §6.1). It is safe for concurrent use; the zero value is empty.
type Charges struct {
	mu      sync.Mutex
	charges protocol.Charges
}

// Take marks a layer.
func (c *Charges) Take(layer wire.LayerID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.charges.Take(layer)
}

// Release removes a layer's mark.
func (c *Charges) Release(layer wire.LayerID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.charges.Release(layer)
}

// Hold tells whether hare decides the layer.
func (c *Charges) Hold(layer wire.LayerID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.charges.Hold(layer)
}
