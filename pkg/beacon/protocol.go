package beacon

import (
	"time"

	"github.com/smeshery/smeshery/pkg/beacon/weakcoin"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Reader is what the protocol reads of others' state. Errors are failures of
// ours; absence is not an error.
type Reader interface {
	// ATXs are all ATXs published in the epoch before, in storage order.
	ATXs(target wire.EpochID) ([]ATX, error)
	// Nonce is the VRF nonce of the identity's newest ATX published before the
	// epoch that carries one.
	Nonce(id wire.NodeID, epoch wire.EpochID) (nonce uint64, ok bool, err error)
	// Beacon is the stored beacon.
	Beacon(epoch wire.EpochID) (beacon wire.Beacon, ok bool, err error)
}

// ATX is one activation that targets an epoch.
type ATX struct {
	ID        wire.ATXID
	Node      wire.NodeID
	Weight    uint64
	Units     uint32
	Received  time.Time
	Malicious bool
}

// Verifier checks what identities signed.
type Verifier interface {
	VerifyVRF(id wire.NodeID, message []byte, proof wire.VrfSignature) bool
	VerifyFirstVote(id wire.NodeID, body []byte, sig wire.EdSignature) bool
	VerifyVote(id wire.NodeID, body []byte, sig wire.EdSignature) bool
}

// Phase is where the protocol of the running epoch stands.
type Phase uint8

// Phases. A new epoch leads from Idle to Proposing; Voting and Tossing alternate
// until the rounds are used up; the end and every failure lead to Idle.
const (
	Idle Phase = iota
	Proposing
	FirstVoting
	Voting
	Tossing
)

// Protocol is the beacon state machine. It is not safe for concurrent use.
type Protocol struct {
	params   Params
	reader   Reader
	verifier Verifier
	coin     *weakcoin.Coin

	locals    map[wire.NodeID]struct{}
	synced    bool
	listening bool

	seen     wire.EpochID // newest epoch the clock has reached
	phase    Phase
	running  *epochState // nil when idle
	deadline time.Time   // end of the phase
	round    uint32
	nextVote time.Time // after it, votes of the next round are taken
	opinion  Opinion

	epochs  map[wire.EpochID]*epochState
	beacons map[wire.EpochID]wire.Beacon
	ballots map[wire.EpochID]*ballotTally

	out Effects
}

// New restores a protocol: all that lasts is behind reader. The epoch of now is
// sat out (spec 05 §12).
func New(now time.Time, params Params, reader Reader, verifier Verifier) (*Protocol, Effects) {
	p := &Protocol{
		params: params, reader: reader, verifier: verifier,
		seen:    params.epochAt(now),
		locals:  map[wire.NodeID]struct{}{},
		epochs:  map[wire.EpochID]*epochState{},
		beacons: map[wire.EpochID]wire.Beacon{},
		ballots: map[wire.EpochID]*ballotTally{},
	}
	p.coin = weakcoin.New(weakcoin.NewParams(params.Rounds), coinSource{p})
	return p, p.take()
}

// Phase tells where the protocol stands.
func (p *Protocol) Phase() Phase { return p.phase }

// Join makes an identity local. It takes part from the next epoch state on.
func (p *Protocol) Join(id wire.NodeID) { p.locals[id] = struct{}{} }

// Leave undoes Join.
func (p *Protocol) Leave(id wire.NodeID) { delete(p.locals, id) }

// SetSync tells whether the node is synced, and whether it takes gossip (spec 08 §8.1).
func (p *Protocol) SetSync(synced, listening bool) { p.synced, p.listening = synced, listening }

// StoredATX tells of an ATX that was stored for the target epoch. Weight and
// thresholds of a state that exists already stay (spec 05 §13).
func (p *Protocol) StoredATX(target wire.EpochID, a ATX) {
	s := p.epochs[target]
	if s == nil {
		return
	}
	if _, known := s.members[a.Node]; known {
		return
	}
	s.members[a.Node] = &member{a.ID, a.Weight, a.Units, a.Received, false}
}

// state returns the epoch's state, made on first demand; nil without weight.
func (p *Protocol) state(epoch wire.EpochID) (*epochState, error) {
	if s := p.epochs[epoch]; s != nil {
		return s, nil
	}
	s, err := p.newEpochState(epoch)
	if s != nil {
		p.epochs[epoch] = s
	}
	return s, err
}

// take hands the gathered effects over.
func (p *Protocol) take() Effects {
	out := p.out
	p.out = Effects{}
	out.WakeAt = p.params.epochStart(p.seen + 1)
	if p.phase != Idle && p.deadline.Before(out.WakeAt) {
		out.WakeAt = p.deadline
	}
	return out
}

func (p *Protocol) sign(kind Kind, id wire.NodeID, messages ...[]byte) {
	p.out.Sign = append(p.out.Sign, Request{kind, id, p.running.epoch, p.round, messages})
}

// coinSource lets the weak coin ask the protocol. A read that fails counts as an
// absent nonce: the message is dropped and nobody is blamed.
type coinSource struct{ p *Protocol }

func (c coinSource) Nonce(id wire.NodeID, epoch wire.EpochID) (uint64, bool) {
	nonce, ok, err := c.p.reader.Nonce(id, epoch)
	return nonce, ok && err == nil
}

func (c coinSource) Units(id wire.NodeID, epoch wire.EpochID) uint32 {
	if s := c.p.epochs[epoch]; s != nil {
		if m := s.members[id]; m != nil && !m.malicious {
			return m.units
		}
	}
	return 0
}

func (c coinSource) VerifyVRF(id wire.NodeID, message []byte, proof wire.VrfSignature) bool {
	return c.p.verifier.VerifyVRF(id, message, proof)
}

// Follows tells whether the epoch has a state, which StoredATX adds to.
func (p *Protocol) Follows(target wire.EpochID) bool { return p.epochs[target] != nil }
