package weakcoin

import (
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
)

// DefaultBuffer is how many early messages are kept (spec 05 §17).
const DefaultBuffer = 10_000

// Params are the coin's numbers.
type Params struct {
	// MaxRound is the number of beacon rounds K.
	MaxRound uint32
	// Buffer bounds the early messages.
	Buffer int
	// Threshold is the largest proof that may take part.
	Threshold wire.VrfSignature
}

// NewParams are the parameters of a network with that many beacon rounds.
func NewParams(rounds uint32) Params {
	p := Params{MaxRound: rounds, Buffer: DefaultBuffer}
	for i := range p.Threshold {
		p.Threshold[i] = 0xff
	}
	return p
}

// Source answers what the coin must know about identities.
type Source interface {
	// Nonce is the identity's VRF nonce in the epoch.
	Nonce(id wire.NodeID, epoch wire.EpochID) (uint64, bool)
	// Units is how many units the identity may toss with: 0 if it is malicious
	// or has no ATX for the epoch.
	Units(id wire.NodeID, epoch wire.EpochID) uint32
	// VerifyVRF checks a proof of the identity over a message.
	VerifyVRF(id wire.NodeID, message []byte, proof wire.VrfSignature) bool
}

// Coin is the state of one epoch's tosses. It is not safe for concurrent use.
type Coin struct {
	params Params
	source Source

	epoch     wire.EpochID
	round     uint32
	epochOpen bool
	roundOpen bool
	smallest  *wire.VrfSignature
	buffer    []wire.WeakCoinMessage
	coins     map[uint32]bool
}

// New makes a closed coin.
func New(params Params, source Source) *Coin {
	return &Coin{params: params, source: source, coins: map[uint32]bool{}}
}

// StartEpoch opens the epoch. The round keeps its number.
func (c *Coin) StartEpoch(epoch wire.EpochID) { c.epoch, c.epochOpen = epoch, true }

// FinishEpoch closes the epoch and forgets its coins.
func (c *Coin) FinishEpoch() {
	c.epochOpen, c.round = false, 0
	clear(c.coins)
}

// StartRound opens a round and takes what was buffered for it.
func (c *Coin) StartRound(round uint32) {
	c.roundOpen, c.round = true, round
	for i := range c.buffer {
		if m := &c.buffer[i]; m.Epoch == c.epoch && m.Round == round {
			c.update(m)
		}
	}
	clear(c.buffer)
	c.buffer = c.buffer[:0]
}

// FinishRound closes the round and tells its coin; ok is false if nobody tossed.
// The smallest proof is forgotten only here.
func (c *Coin) FinishRound() (coin, ok bool) {
	c.roundOpen = false
	if c.smallest == nil {
		return false, false
	}
	coin = vrf.LSB(*c.smallest) == 1
	c.coins[c.round] = coin
	c.smallest = nil
	return coin, true
}

// Toss is the coin of a finished round of the open epoch.
func (c *Coin) Toss(epoch wire.EpochID, round uint32) (coin, ok bool) {
	if !c.epochOpen || epoch != c.epoch {
		return false, false
	}
	coin, ok = c.coins[round]
	return coin, ok
}

// Own picks from the proofs of an identity's units, in unit order, the message
// to publish; nil if no proof improves on what is known. It changes nothing:
// the message must come back through Handle.
func (c *Coin) Own(id wire.NodeID, proofs []wire.VrfSignature) *wire.WeakCoinMessage {
	if !c.roundOpen {
		return nil
	}
	best := -1
	for i := range proofs {
		if vrf.Compare(proofs[i], c.params.Threshold) > 0 {
			continue
		}
		if best < 0 || vrf.Compare(proofs[i], proofs[best]) < 0 {
			best = i
		}
	}
	if best < 0 || c.smallest != nil && vrf.Compare(proofs[best], *c.smallest) >= 0 {
		return nil
	}
	return &wire.WeakCoinMessage{
		Epoch: c.epoch, Round: c.round, Unit: uint32(best), NodeID: id, VRFSignature: proofs[best],
	}
}

// Handle judges a message from the network.
func (c *Coin) Handle(raw []byte) Class {
	var m wire.WeakCoinMessage
	if codec.Decode(raw, &m) != nil {
		return Malformed
	}
	if vrf.Compare(m.VRFSignature, c.params.Threshold) > 0 {
		return AboveThreshold
	}
	if m.Epoch == c.epoch && m.Round == c.round && c.epochOpen && c.roundOpen {
		return c.update(&m)
	}
	if !c.next(&m) || len(c.buffer) >= c.params.Buffer {
		return WrongRound
	}
	c.buffer = append(c.buffer, m)
	return Buffered
}

// next tells whether the message may belong to the round that opens next.
func (c *Coin) next(m *wire.WeakCoinMessage) bool {
	if m.Epoch == c.epoch {
		follows := c.round < m.Round && m.Round-1 == c.round && m.Round <= c.params.MaxRound
		return follows || c.epochOpen && !c.roundOpen
	}
	if c.epoch >= m.Epoch || m.Epoch-1 != c.epoch {
		return false
	}
	return c.round == c.params.MaxRound || !c.roundOpen && !c.epochOpen
}

// update verifies a message of the open round and keeps the proof if it is the
// smallest. A unit equal to the allowance passes: one more than honest nodes
// send, and what the network tolerates.
func (c *Coin) update(m *wire.WeakCoinMessage) Class {
	nonce, ok := c.source.Nonce(m.NodeID, m.Epoch)
	if !ok {
		return NoNonce
	}
	input := vrf.WeakCoinMessage{Nonce: nonce, Epoch: m.Epoch, Round: m.Round, Unit: m.Unit}
	if !c.source.VerifyVRF(m.NodeID, input.Bytes(), m.VRFSignature) {
		return BadSignature
	}
	if c.source.Units(m.NodeID, m.Epoch) < m.Unit {
		return NoAllowance
	}
	if c.smallest != nil && vrf.Compare(m.VRFSignature, *c.smallest) >= 0 {
		return NotSmallest
	}
	proof := m.VRFSignature
	c.smallest = &proof
	return Accepted
}
