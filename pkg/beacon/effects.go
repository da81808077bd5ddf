package beacon

import (
	"time"

	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Effects is what an input asks of the shell, in this order: commit Persist;
// then report Events, publish Publish, have Sign signed (each answer comes back
// through Answer), and call Tick at WakeAt.
type Effects struct {
	Persist []Record
	Events  []Record
	Publish []Message
	Sign    []Request
	// WakeAt is when Tick is due at the latest.
	WakeAt time.Time
}

// Record is an epoch's beacon.
type Record struct {
	Epoch  wire.EpochID
	Beacon wire.Beacon
	// Overwrite replaces a stored row; otherwise an existing row stays and that
	// is no error (spec 05 §18.3, §18.4).
	Overwrite bool
}

// Message is a gossip message of a local identity. It was judged by Handle
// already and must not be judged again.
type Message struct {
	Topic string
	Bytes []byte
}

// Kind says what a Request is for, and so which slot of the signer's guard it takes.
type Kind uint8

// Kinds of requests. Proposals and tosses are VRF proofs; votes are signatures
// under their domains.
const (
	SignProposal Kind = iota + 1
	SignFirstVote
	SignVote
	SignToss
)

// Request asks for a signature of a local identity over each of Messages. Only a
// toss has more than one: one for every unit, in order.
type Request struct {
	Kind     Kind
	Node     wire.NodeID
	Epoch    wire.EpochID
	Round    uint32
	Messages [][]byte
}

func proposalInput(nonce uint64, epoch wire.EpochID) []byte {
	input := vrf.BeaconMessage{Nonce: nonce, Epoch: epoch}
	return input.Bytes()
}

func tossInputs(nonce uint64, epoch wire.EpochID, round, units uint32) [][]byte {
	out := make([][]byte, units)
	for unit := range units {
		input := vrf.WeakCoinMessage{Nonce: nonce, Epoch: epoch, Round: round, Unit: unit}
		out[unit] = input.Bytes()
	}
	return out
}
