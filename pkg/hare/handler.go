package hare

import (
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Step is the answer to a gossip message.
type Step struct {
	Verdict Verdict
	// Err is a *RuleError unless the message was accepted or is pending.
	Err     error
	Effects []Effect
	// Ticket names a pending message.
	Ticket Ticket
}

func refuse(err *RuleError) Step { return Step{Verdict: err.Rule.verdict(), Err: err} }

// incoming is a message on its way through the checks.
type incoming struct {
	message *wire.HareMessage
	peer    Peer
	// own messages come from this process; nobody can be asked about them.
	own bool
	// id is the body's hash as it came.
	id wire.Hash32
	// compact is the number of compact ids that came.
	compact int
	// recovered is set once the message has a full list.
	recovered bool
	// exchanged is set once the peer was asked for the full list.
	exchanged bool
}

// Handle judges a gossip message (spec 05 §4).
func (h *Hare) Handle(peer Peer, raw []byte) Step {
	m, err := wire.DecodeHare(raw, h.params.Hare4)
	if err != nil {
		return refuse(broken(Decoding, "%v", err))
	}
	return h.receive(incoming{message: m, peer: peer})
}

func (h *Hare) receive(in incoming) Step {
	if err := checkForm(&in.message.Body); err != nil {
		return refuse(err)
	}
	if h.session(in.message.Body.Layer) == nil {
		return refuse(broken(NotRegistered, "layer %d", in.message.Body.Layer))
	}
	if h.isCompact(in.message) {
		return h.expand(in)
	}
	return h.verify(in)
}

// checkForm is step 2, and the range of rounds.
func checkForm(b *wire.HareBody) *RuleError {
	switch {
	case refers(b.Round) && b.Value.Reference == nil:
		return broken(Form, "round %d without reference", b.Round)
	case lists(b.Round) && b.Value.Reference != nil:
		return broken(Form, "round %d with reference", b.Round)
	case b.Round > wire.Notify:
		return broken(RoundRange, "round %d", b.Round)
	}
	return nil
}

// isCompact tells whether the message's full list must be recovered first.
func (h *Hare) isCompact(m *wire.HareMessage) bool {
	return h.params.Hare4 && m.Body.Round == wire.Preround
}

// verify checks the signature, over the full list.
func (h *Hare) verify(in incoming) Step {
	meta := in.message.Body.Metadata()
	if !h.node.VerifyHare(in.message.Sender, codec.MustEncode(&meta), in.message.Signature) {
		if h.isCompact(in.message) && !in.exchanged {
			return h.fetch(in)
		}
		return refuse(broken(InvalidSignature, "sender %v", in.message.Sender))
	}
	return h.admit(in, meta.MsgHash)
}

// admit checks the seats and feeds the session (steps 6 to 11).
func (h *Hare) admit(in incoming, hash wire.Hash32) Step {
	m := in.message
	s := h.session(m.Body.Layer)
	if s == nil {
		return refuse(broken(NotRegistered, "layer %d", m.Body.Layer))
	}
	if h.isCompact(m) {
		h.serving.remember(in.id, m, false)
	}
	malicious := h.isMalicious(s, m.Sender)
	if !h.seatsHold(m) {
		return refuse(broken(ZeroGrade, "sender %v, round %d", m.Sender, m.Body.Absolute()))
	}
	if h.isCompact(m) {
		h.serving.remember(in.id, m, true)
	}
	gossip, proof := s.protocol.Receive(Input{
		Message: m, Hash: hash, Grade: bestEligibility, Malicious: malicious,
	})
	var effects []Effect
	if proof != nil && !malicious {
		s.marked[m.Sender] = struct{}{}
		effects = append(effects, Equivocation{Node: m.Sender, Proof: &wire.MalfeasanceProof{
			Layer: m.Body.Layer, Type: wire.HareEquivocation, Data: proof,
		}})
	}
	if !gossip {
		step := refuse(broken(GradedGossip, "sender %v, round %d", m.Sender, m.Body.Absolute()))
		step.Effects = effects
		return step
	}
	return Step{Verdict: Accept, Effects: effects}
}

// isMalicious knows of an equivocation from the moment the session saw it.
func (h *Hare) isMalicious(s *session, id wire.NodeID) bool {
	_, marked := s.marked[id]
	return marked || h.node.IsMalicious(id)
}

// seatsHold is the grade of eligibility: all or nothing (spec 05 §2.8).
func (h *Hare) seatsHold(m *wire.HareMessage) bool {
	e := m.Body.Eligibility
	if e.Count == 0 {
		return false
	}
	valid, err := h.oracle.Validate(h.params.Seat(m.Body.Layer, m.Body.IterRound, m.Sender, e.Proof), e.Count)
	return err == nil && valid
}

// Signed takes an own message with its signature, as Sign asked for it. What
// hare itself does not accept is not published (spec 05 §0.3).
func (h *Hare) Signed(m *wire.HareMessage) Step {
	wired, err := h.wireForm(m)
	if err != nil {
		return refuse(err)
	}
	raw := codec.MustEncode(wired)
	step := h.receive(incoming{message: wired, own: true})
	if step.Verdict == Accept {
		step.Effects = append(step.Effects, Publish{Topic: h.params.ProtocolName, Message: raw})
	}
	return step
}
