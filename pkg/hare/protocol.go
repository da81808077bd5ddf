package hare

import (
	"slices"

	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
)

// maxIdle bounds the messages a session remembers that no tally will read: of
// iterations it never reaches and of rounds in which nobody speaks.
const maxIdle = 1 << 16

// Protocol is the state machine of one layer (spec 05 §5). It trusts its
// inputs to be signed and eligible.
type Protocol struct {
	at         wire.IterRound
	threshold  uint16
	iterations uint8

	initial []wire.ProposalID
	coin    *wire.VrfSignature
	coinOut bool

	result     *wire.Hash32
	locked     *wire.Hash32
	hardLocked bool

	valid  map[wire.Hash32][]wire.ProposalID
	rounds map[wire.IterRound]*roundLog
	known  index
	idle   int
}

// NewProtocol starts before the preround. A set or a value carries with
// committee/2+1 seats; iterations is how many will be run in full.
func NewProtocol(committee uint16, iterations uint8) *Protocol {
	return &Protocol{
		threshold:  committee/2 + 1,
		iterations: iterations,
		valid:      make(map[wire.Hash32][]wire.ProposalID),
		rounds:     make(map[wire.IterRound]*roundLog),
	}
}

// At is the round that Execute will execute.
func (p *Protocol) At() wire.IterRound { return p.at }

// SetInitial gives the proposals to vouch for in the preround. They are sent
// ascending: hare4 wants it, and hare3 takes any order.
func (p *Protocol) SetInitial(list []wire.ProposalID) {
	p.initial = slices.SortedFunc(slices.Values(list), wire.Compare20[wire.ProposalID])
}

// Input is a message that may take part.
type Input struct {
	Message *wire.HareMessage
	// Hash is of the message's body.
	Hash wire.Hash32
	// Grade is of the sender's eligibility, 5 being best and 0 excluded.
	Grade uint8
	// Malicious senders had been found out before.
	Malicious bool
}

// entry is what a session remembers of a sender in a round.
type entry struct {
	sender        wire.NodeID
	hash          wire.Hash32
	signature     wire.EdSignature
	proof         wire.VrfSignature
	count         uint16
	grade         uint8
	malicious     bool
	hasOther      bool
	received      wire.IterRound
	otherReceived wire.IterRound // valid with hasOther

	reference wire.Hash32 // commit and notify; valid with hasReference
	// hasReference of a list is set once its name was computed.
	hasReference bool
	ids          []uint32          // preround: indices of the proposals
	list         []wire.ProposalID // propose
}

// roundLog has the entries of a round in the order of their coming.
type roundLog struct {
	bySender map[wire.NodeID]int
	entries  []entry
}

// Receive is graded gossip (spec 05 §5.3): whether to pass the message on, and
// a proof if its sender said two things.
func (p *Protocol) Receive(in Input) (gossip bool, proof *wire.HareProof) {
	body := &in.Message.Body
	key := body.IterRound
	log := p.rounds[key]
	if log == nil {
		log = &roundLog{bySender: make(map[wire.NodeID]int)}
		p.rounds[key] = log
	}
	i, ok := log.bySender[in.Message.Sender]
	switch {
	case !ok:
		if !p.admit(key) {
			return false, nil
		}
		log.bySender[in.Message.Sender] = len(log.entries)
		log.entries = append(log.entries, p.newEntry(in))
	case log.entries[i].hash == in.Hash || log.entries[i].malicious:
		return false, nil
	default:
		proof = p.equivocation(&log.entries[i], in)
	}
	p.draw(key.Round, &body.Eligibility.Proof)
	return true, proof
}

// admit counts messages that nothing will read.
func (p *Protocol) admit(key wire.IterRound) bool {
	if p.reads(key) {
		return true
	}
	p.idle++
	return p.idle <= maxIdle
}

// reads tells whether a tally looks at the round's messages.
func (p *Protocol) reads(key wire.IterRound) bool {
	switch key.Round {
	case wire.Preround:
		return key.Iter == 0
	case wire.Commit:
		return key.Iter < p.iterations || key == beforeFirstCommit()
	}
	return speaks(key.Round) && key.Iter < p.iterations
}

// beforeFirstCommit is where the first iteration looks for its predecessor's
// commits.
func beforeFirstCommit() wire.IterRound { return wire.IterRound{Iter: 255, Round: wire.Commit} }

func (p *Protocol) newEntry(in Input) entry {
	m := in.Message
	e := entry{
		sender:    m.Sender,
		hash:      in.Hash,
		signature: m.Signature,
		proof:     m.Body.Eligibility.Proof,
		count:     m.Body.Eligibility.Count,
		grade:     in.Grade,
		malicious: in.Malicious,
		received:  p.at,
	}
	if !p.reads(m.Body.IterRound) {
		return e
	}
	switch value := &m.Body.Value; m.Body.Round {
	case wire.Preround:
		e.ids = p.known.intern(value.Proposals)
	case wire.Propose:
		e.list = value.Proposals
	default:
		if value.Reference != nil {
			e.reference, e.hasReference = *value.Reference, true
		}
	}
	return e
}

// equivocation keeps the better of two different messages and flags the sender.
func (p *Protocol) equivocation(held *entry, in Input) *wire.HareProof {
	key, layer := in.Message.Body.IterRound, in.Message.Body.Layer
	newcomer := entry{sender: in.Message.Sender, hash: in.Hash, signature: in.Message.Signature}
	proof := &wire.HareProof{Messages: [2]wire.HareProofMsg{
		held.summary(layer, key), newcomer.summary(layer, key),
	}}
	other := p.at
	if in.Grade > held.grade {
		other = held.received
		*held = p.newEntry(in)
	}
	held.malicious = true
	held.otherReceived, held.hasOther = other, true
	return proof
}

func (e *entry) summary(layer wire.LayerID, key wire.IterRound) wire.HareProofMsg {
	return wire.HareProofMsg{
		InnerMsg:  wire.HareMetadata{Layer: layer, Round: key.Absolute(), MsgHash: e.hash},
		SmesherID: e.sender,
		Signature: e.signature,
	}
}

// draw keeps the smallest proof of a preround message for the coin.
func (p *Protocol) draw(round wire.HareRound, proof *wire.VrfSignature) {
	if round != wire.Preround {
		return
	}
	if p.coin == nil || vrf.Compare(*proof, *p.coin) < 0 {
		p.coin = new(*proof)
	}
}
