package eligibility

import (
	"errors"
	"fmt"
	"slices"

	"github.com/smeshery/smeshery/pkg/fixed"
	"github.com/smeshery/smeshery/pkg/vrf"
	"github.com/smeshery/smeshery/pkg/wire"
)

const (
	// cachedEpochs is how many active sets are kept.
	cachedEpochs = 5
	// tableWords bounds all tables together, at 16 bytes a word.
	tableWords = 1 << 20
)

// Prover checks a VRF proof; vrf.Verify is one.
type Prover func(wire.NodeID, []byte, wire.VrfSignature) bool

// Oracle answers who sits in which committee.
type Oracle struct {
	params  Params
	history History
	verify  Prover
	tables  *Tables
	cache   []cachedSet // least recently used first
	synced  bool
}

type cachedSet struct {
	epoch wire.EpochID
	set   *ActiveSet
}

// NewOracle answers from history and checks proofs with verify.
func NewOracle(p Params, h History, verify Prover) *Oracle {
	return &Oracle{params: p, history: h, verify: verify, tables: NewTables(tableWords)}
}

// Seat names a place in a committee and the proof for it.
type Seat struct {
	Layer wire.LayerID
	Round uint32 // absolute
	// Committee is the number of seats in all.
	Committee int
	Node      wire.NodeID
	Proof     wire.VrfSignature
}

// Message is the VRF input for a layer and absolute round (spec 05 §2.1).
func Message(beacon wire.Beacon, round uint32, layer wire.LayerID) []byte {
	return (&vrf.HareMessage{Beacon: beacon, Round: round, Layer: layer}).Bytes()
}

// Fraction is the point in [0,1) that a proof draws (spec 05 §2.4).
func Fraction(proof wire.VrfSignature) fixed.Num { return fixed.Fraction([8]byte(proof[:])) }

// Count is how many seats the proof wins (spec 05 §2.5). A proof that does not
// verify and a weight that is too large win none, without an error. The errors
// are this package's and fixed.ErrOverflow.
func (o *Oracle) Count(s Seat) (uint16, error) {
	l, ok, err := o.prepare(s)
	if errors.Is(err, ErrWeightTooLarge) {
		return 0, nil
	}
	if err != nil || !ok {
		return 0, err
	}
	return o.tables.Count(l, Fraction(s.Proof))
}

// Validate tells whether the proof wins exactly the claimed seats.
func (o *Oracle) Validate(s Seat, claimed uint16) (bool, error) {
	l, ok, err := o.prepare(s)
	if err != nil || !ok {
		return false, err
	}
	return o.tables.Valid(l, Fraction(s.Proof), claimed)
}

// prepare is spec 05 §2.4. It is false if the proof does not verify.
func (o *Oracle) prepare(s Seat) (Lottery, bool, error) {
	if s.Committee < 1 {
		return Lottery{}, false, ErrZeroCommittee
	}
	set, err := o.at(s.Layer)
	if err != nil {
		return Lottery{}, false, err
	}
	member, ok := set.Members[s.Node]
	if !ok {
		return Lottery{}, false, ErrNotActive
	}
	epoch := s.Layer.Epoch(o.params.LayersPerEpoch)
	beacon, err := o.history.Beacon(epoch)
	if errors.Is(err, ErrNotFound) {
		return Lottery{}, false, fmt.Errorf("%w: %d", ErrNoBeacon, epoch)
	}
	if err != nil {
		return Lottery{}, false, wrap("beacon", err)
	}
	if !o.verify(s.Node, Message(beacon, s.Round, s.Layer), s.Proof) {
		return Lottery{}, false, nil
	}
	l, err := NewLottery(s.Committee, member.Weight, set.Total)
	return l, err == nil, err
}

// IsActive tells whether the identity is in the active set that decides in the layer.
func (o *Oracle) IsActive(node wire.NodeID, layer wire.LayerID) (bool, error) {
	set, err := o.at(layer)
	if err != nil {
		return false, err
	}
	_, ok := set.Members[node]
	return ok, nil
}

// ActiveSet is the epoch's active set as the API shows it: the one that decides
// once the epoch's first layers are past (spec 05 §2.3).
func (o *Oracle) ActiveSet(epoch wire.EpochID) (*ActiveSet, error) {
	return o.at(epoch.FirstLayer(o.params.LayersPerEpoch) + wire.LayerID(o.params.Confidence))
}

// SetSynced tells the sync state; becoming synced drops what was cached, which
// may rest on an incomplete history.
func (o *Oracle) SetSynced(synced bool) {
	if synced && !o.synced {
		o.cache = nil
	}
	o.synced = synced
}

// at looks a layer's active set up, in the cache first. Callers do not change it.
func (o *Oracle) at(layer wire.LayerID) (*ActiveSet, error) {
	epoch, err := o.params.TargetEpoch(layer)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(o.cache, func(c cachedSet) bool { return c.epoch == epoch }); i >= 0 {
		hit := o.cache[i]
		if i != len(o.cache)-1 {
			o.cache = append(slices.Delete(o.cache, i, i+1), hit)
		}
		return hit.set, nil
	}
	set, err := BuildActiveSet(o.history, epoch)
	if err != nil {
		return nil, fmt.Errorf("active set of epoch %d: %w", epoch, err)
	}
	if len(o.cache) == cachedEpochs {
		o.cache = slices.Delete(o.cache, 0, 1)
	}
	o.cache = append(o.cache, cachedSet{epoch, set})
	return set, nil
}
