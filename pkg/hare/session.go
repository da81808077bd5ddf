package hare

import (
	"errors"
	"slices"
	"time"

	"github.com/smeshery/smeshery/pkg/eligibility"
	"github.com/smeshery/smeshery/pkg/wire"
)

// How a session fails.
var (
	ErrNoConsensus = errors.New("no consensus within the iterations limit")
	ErrNoResult    = errors.New("terminated without a result")
)

// session is a layer's agreement with the local identities in it.
type session struct {
	layer      wire.LayerID
	start      time.Time
	beacon     wire.Beacon
	identities []wire.NodeID
	protocol   *Protocol
	// marked are the identities that the session itself found to be malicious.
	marked    map[wire.NodeID]struct{}
	hasResult bool
	over      bool

	// proving is the round whose proofs were asked for and have not come.
	proving *wire.IterRound
	// seats are the identities with seats in the coming round.
	seats []Seated
	// late is what was said in the last round while its proofs were not there.
	late *Output
}

// Seated is an identity with seats in a round.
type Seated struct {
	Node        wire.NodeID
	Eligibility wire.HareEligibility
}

// Proof is an identity's answer to Prove.
type Proof struct {
	Node  wire.NodeID
	Proof wire.VrfSignature
}

// prepare asks for the proofs of the coming round; without identities there is
// nothing to wait for.
func (h *Hare) prepare(s *session) []Effect {
	at := s.protocol.At()
	s.seats, s.proving = nil, nil
	if !speaks(at.Round) {
		return nil
	}
	if len(s.identities) == 0 {
		return h.afterProofs(s)
	}
	s.proving = &at
	return []Effect{Prove{
		Layer:      s.layer,
		At:         at,
		Beacon:     s.beacon,
		Message:    eligibility.Message(s.beacon, at.Absolute(), s.layer),
		Identities: s.identities,
	}}
}

// Proofs answers Prove, once, for all identities that could be asked. Proofs
// that come after their round executed still speak, until the next one does.
func (h *Hare) Proofs(layer wire.LayerID, at wire.IterRound, proofs []Proof) []Effect {
	if s := h.session(layer); s == nil || !s.awaits(at) {
		return nil
	}
	var seats []Seated
	for _, p := range proofs {
		count, err := h.oracle.Count(h.params.Seat(layer, at, p.Node, p.Proof))
		if err == nil && count > 0 {
			seats = append(seats, Seated{p.Node, wire.HareEligibility{Proof: p.Proof, Count: count}})
		}
	}
	return h.Seats(layer, at, seats)
}

// Seats answers Prove like Proofs, with seats that the oracle has counted.
func (h *Hare) Seats(layer wire.LayerID, at wire.IterRound, seats []Seated) []Effect {
	s := h.session(layer)
	if s == nil || !s.awaits(at) {
		return nil
	}
	seats = s.asked(seats)
	if s.late != nil && s.late.At == at {
		out := *s.late
		s.late = nil
		return h.say(s, seats, out)
	}
	s.proving = nil
	s.seats = seats
	return h.afterProofs(s)
}

// awaits tells whether proofs of the round are still of use.
func (s *session) awaits(at wire.IterRound) bool {
	return s.late != nil && s.late.At == at || s.proving != nil && *s.proving == at
}

// asked keeps the session's identities, each once.
func (s *session) asked(seats []Seated) []Seated {
	open := make(map[wire.NodeID]bool, len(s.identities))
	for _, id := range s.identities {
		open[id] = true
	}
	out := make([]Seated, 0, len(seats))
	for _, seat := range seats {
		if open[seat.Node] {
			open[seat.Node] = false
			out = append(out, seat)
		}
	}
	return out
}

// afterProofs executes a preround without speakers at once (spec 05 §6.3).
func (h *Hare) afterProofs(s *session) []Effect {
	if len(s.seats) == 0 && s.protocol.At() == (wire.IterRound{}) {
		return h.execute(s)
	}
	return nil
}

// execute executes the session's coming round and prepares the one after.
func (h *Hare) execute(s *session) []Effect {
	at, unproven := s.protocol.At(), s.proving != nil
	if at == (wire.IterRound{}) && (unproven || len(s.seats) > 0) {
		s.protocol.SetInitial(SelectProposals(s.beacon, h.node.Selection(s.layer, s.identities)))
	}
	out := s.protocol.Execute()
	effects := h.say(s, s.seats, out)
	s.late = nil
	if unproven && out.Value != nil {
		s.late = &out
	}
	if out.Coin != nil {
		effects = append(effects, WeakCoin{s.layer, *out.Coin})
	}
	if out.Result != nil {
		s.hasResult = true
		effects = append(effects, Result{s.layer, out.Result})
	}
	switch {
	case out.Terminated && s.hasResult:
		return append(effects, h.end(s, nil)...)
	case out.Terminated:
		return append(effects, h.end(s, ErrNoResult)...)
	case at.Iter >= h.params.IterationsLimit:
		return append(effects, h.end(s, ErrNoConsensus)...)
	}
	return append(effects, h.prepare(s)...)
}

func (h *Hare) end(s *session, err error) []Effect {
	s.over = true
	if i, ok := h.find(s.layer); ok {
		h.sessions = slices.Delete(h.sessions, i, i+1)
	}
	ended := Ended{Layer: s.layer, Err: err}
	if err != nil {
		return []Effect{ReleaseCharge{s.layer}, ended}
	}
	return []Effect{ended}
}

// say asks to sign a round's value for every seated identity (spec 05 §6.4).
func (h *Hare) say(s *session, seats []Seated, out Output) []Effect {
	// A longer list fits no message; upstream would crash on it.
	if out.Value == nil || len(seats) == 0 || len(out.Value.Proposals) > wire.MaxHareProposals {
		return nil
	}
	value := *out.Value
	value.Hare4 = h.params.Hare4
	sign := Sign{Layer: s.layer, At: out.At, Messages: make([]*wire.HareMessage, len(seats))}
	for i, seat := range seats {
		sign.Messages[i] = &wire.HareMessage{
			Body: wire.HareBody{
				Layer: s.layer, IterRound: out.At, Value: value, Eligibility: seat.Eligibility,
			},
			Sender: seat.Node,
		}
	}
	return []Effect{sign}
}
