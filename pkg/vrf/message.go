package vrf

import (
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Eligibility is the first field of every VRF input; it keeps uses apart.
type Eligibility uint16

// Eligibility types (spec 01 §4).
const (
	EligibleBeacon   Eligibility = 1
	EligibleHare     Eligibility = 2
	EligibleVoting   Eligibility = 3
	EligibleWeakCoin Eligibility = 4
)

// CertifyRound is the round that stands in the hare input for block
// certification (spec 01 §18.5).
const CertifyRound = 1<<31 - 1

// BeaconMessage is the input for an identity's beacon proposal.
type BeaconMessage struct {
	Nonce uint64
	Epoch wire.EpochID
}

// Code is spec 01 §18.5.
func (m *BeaconMessage) Code(c *codec.Coder) {
	codeType(c, EligibleBeacon)
	c.Compact64(&m.Nonce)
	m.Epoch.Code(c)
}

// HareMessage is the input for a place in a hare round or among certifiers.
// Round is absolute.
type HareMessage struct {
	Beacon wire.Beacon
	Round  uint32
	Layer  wire.LayerID
}

// Code is spec 01 §18.5.
func (m *HareMessage) Code(c *codec.Coder) {
	codeType(c, EligibleHare)
	c.Fixed(m.Beacon[:])
	c.Compact32(&m.Round)
	m.Layer.Code(c)
}

// VotingMessage is the input for ballot slot Counter of an epoch.
type VotingMessage struct {
	Beacon  wire.Beacon
	Epoch   wire.EpochID
	Nonce   uint64
	Counter uint32
}

// Code is spec 01 §18.5.
func (m *VotingMessage) Code(c *codec.Coder) {
	codeType(c, EligibleVoting)
	c.Fixed(m.Beacon[:])
	m.Epoch.Code(c)
	c.Compact64(&m.Nonce)
	c.Compact32(&m.Counter)
}

// WeakCoinMessage is the input for one unit of a weak coin round.
type WeakCoinMessage struct {
	Nonce uint64
	Epoch wire.EpochID
	Round uint32
	Unit  uint32
}

// Code is spec 01 §18.5.
func (m *WeakCoinMessage) Code(c *codec.Coder) {
	codeType(c, EligibleWeakCoin)
	c.Compact64(&m.Nonce)
	m.Epoch.Code(c)
	c.Compact32(&m.Round)
	c.Compact32(&m.Unit)
}

// codeType writes the type, which is a constant of the message. Inputs are
// never sent, so that a foreign type on reading is our own mistake.
func codeType(c *codec.Coder, want Eligibility) {
	have := uint16(want)
	if c.Compact16(&have); have != uint16(want) && c.Err() == nil {
		c.Fail(codec.ErrUnknownProofType)
	}
}

// Bytes is the VRF input.
func (m *BeaconMessage) Bytes() []byte { return codec.MustEncode(m) }

// Bytes is the VRF input.
func (m *HareMessage) Bytes() []byte { return codec.MustEncode(m) }

// Bytes is the VRF input.
func (m *VotingMessage) Bytes() []byte { return codec.MustEncode(m) }

// Bytes is the VRF input.
func (m *WeakCoinMessage) Bytes() []byte { return codec.MustEncode(m) }
