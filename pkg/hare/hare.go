package hare

import (
	"cmp"
	"slices"
	"time"

	"github.com/smeshery/smeshery/pkg/eligibility"
	"github.com/smeshery/smeshery/pkg/wire"
)

// FullExchange is the stream protocol that serves full proposal lists.
const FullExchange = "hare4/full_exchange"

// Peer names a connected peer.
type Peer string

// Oracle knows who has seats; *eligibility.Oracle is one.
type Oracle interface {
	Count(eligibility.Seat) (uint16, error)
	Validate(seat eligibility.Seat, claimed uint16) (bool, error)
}

// Surroundings answer from memory what hare asks of the node.
type Surroundings interface {
	// VerifyHare tells whether sig is the identity's over body in hare's domain.
	VerifyHare(id wire.NodeID, body []byte, sig wire.EdSignature) bool
	// IsMalicious tells whether the identity is known to be malicious.
	IsMalicious(wire.NodeID) bool
	// LocalProposals are the layer's stored proposals, in any order.
	LocalProposals(wire.LayerID) []LocalProposal
	// Selection is what the layer's initial proposals are chosen from.
	Selection(layer wire.LayerID, identities []wire.NodeID) Selection
}

// LocalProposal is a stored proposal and its compact id (spec 05 §10).
type LocalProposal struct {
	ID wire.ProposalID
	// Compact is set unless the proposal has no eligibility proof.
	Compact *wire.CompactProposalID
}

// Hare runs the sessions of one version of hare.
type Hare struct {
	params   Params
	oracle   Oracle
	node     Surroundings
	sessions []*session // by layer
	serving  serving
	waiting  waiting
}

// New makes a hare without sessions. The error is ErrParams.
func New(p Params, o Oracle, n Surroundings) (*Hare, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return &Hare{params: p, oracle: o, node: n}, nil
}

// Params are the version's numbers.
func (h *Hare) Params() Params { return h.params }

// LayerStart is a layer that the clock has reached.
type LayerStart struct {
	Layer  wire.LayerID
	Start  time.Time
	Synced bool
	// Beacon of the layer's epoch; nil or zero if there is none.
	Beacon *wire.Beacon
	// Identities that take part.
	Identities []wire.NodeID
}

// StartLayer begins a layer's session, unless the version does not run it, the
// node is not synced, or the epoch has no beacon (spec 05 §6.1).
func (h *Hare) StartLayer(in LayerStart) []Effect {
	h.serving.drop(in.Layer)
	if !h.params.Runs(in.Layer) || !in.Synced || in.Beacon == nil || wire.IsZero(*in.Beacon) {
		return nil
	}
	at, exists := h.find(in.Layer)
	if exists {
		return nil
	}
	s := &session{
		layer:      in.Layer,
		start:      in.Start,
		beacon:     *in.Beacon,
		identities: slices.Clone(in.Identities),
		marked:     make(map[wire.NodeID]struct{}),
		protocol:   NewProtocol(h.params.CommitteeFor(in.Layer), h.params.IterationsLimit),
	}
	h.sessions = slices.Insert(h.sessions, at, s)
	effects := []Effect{TakeCharge{in.Layer}}
	return append(effects, h.prepare(s)...)
}

func (h *Hare) find(layer wire.LayerID) (int, bool) {
	return slices.BinarySearchFunc(h.sessions, layer, func(s *session, l wire.LayerID) int {
		return cmp.Compare(s.layer, l)
	})
}

func (h *Hare) session(layer wire.LayerID) *session {
	if i, ok := h.find(layer); ok {
		return h.sessions[i]
	}
	return nil
}

// Tick executes every round that is due. Rounds that are overdue execute back
// to back.
func (h *Hare) Tick(now time.Time) []Effect {
	var effects []Effect
	for _, s := range slices.Clone(h.sessions) {
		for !s.over && !now.Before(h.due(s)) {
			effects = append(effects, h.execute(s)...)
		}
	}
	return effects
}

// NextTick is when the next round is due; false without sessions.
func (h *Hare) NextTick() (at time.Time, ok bool) {
	for _, s := range h.sessions {
		if due := h.due(s); !ok || due.Before(at) {
			at, ok = due, true
		}
	}
	return at, ok
}

func (h *Hare) due(s *session) time.Time { return s.start.Add(h.params.RoundStart(s.protocol.At())) }

// Layers are the layers with a session, ascending.
func (h *Hare) Layers() []wire.LayerID {
	out := make([]wire.LayerID, len(h.sessions))
	for i, s := range h.sessions {
		out[i] = s.layer
	}
	return out
}
