package hare

import (
	"errors"
	"fmt"
	"time"

	"github.com/smeshery/smeshery/pkg/eligibility"
	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Params are one hare version's numbers on a network (spec 05 §1.1).
type Params struct {
	network.HareParams
	// Hare4 selects the version.
	Hare4            bool
	LayersPerEpoch   uint32
	EffectiveGenesis wire.LayerID
	LayerDuration    time.Duration
	// Zdist is the number of layers that tortoise waits for hare.
	Zdist uint32
}

// ErrParams says that a network cannot start with its hare numbers.
var ErrParams = errors.New("unusable hare parameters")

// Validate refuses numbers that stop a node at its start (spec 05 §1.1). Hare4's
// timing is not checked against tortoise's, as everywhere on the network.
func (p Params) Validate() error {
	if p.LayersPerEpoch == 0 {
		return fmt.Errorf("%w: epochs have no layers", ErrParams)
	}
	if p.Enable && p.disableLayer() <= p.EnableLayer {
		return fmt.Errorf("%w: disabled at %d before enabled at %d", ErrParams, p.DisableLayer, p.EnableLayer)
	}
	last := p.RoundStart(wire.IterRound{Iter: p.IterationsLimit, Round: wire.Hardlock})
	if limit := time.Duration(p.Zdist) * p.LayerDuration; !p.Hare4 && last > limit {
		return fmt.Errorf("%w: sessions last %v, tortoise waits %v", ErrParams, last, limit)
	}
	return nil
}

func (p Params) disableLayer() wire.LayerID {
	if p.DisableLayer == 0 {
		return ^wire.LayerID(0)
	}
	return p.DisableLayer
}

// Runs tells whether this version decides the layer (spec 05 §6.1).
func (p Params) Runs(layer wire.LayerID) bool {
	return p.Enable && layer > p.EffectiveGenesis && layer >= p.EnableLayer && layer < p.disableLayer()
}

// RoundStart is when a round executes, from the start of the layer (spec 05 §6.2).
func (p Params) RoundStart(at wire.IterRound) time.Duration {
	if abs := at.Absolute(); abs > 0 {
		return p.PreroundDelay + time.Duration(abs-1)*p.RoundDuration
	}
	return p.PreroundDelay
}

// seats is the size of the committee in a round of a layer (spec 05 §2.8).
func (p Params) seats(layer wire.LayerID, round wire.HareRound) int {
	if round == wire.Propose {
		return int(p.Leaders)
	}
	return int(p.CommitteeFor(layer))
}

// Seat is what the oracle is asked for an identity's place in a round of a layer
// (spec 05 §2.8).
func (p Params) Seat(layer wire.LayerID, at wire.IterRound, node wire.NodeID, proof wire.VrfSignature) eligibility.Seat {
	return eligibility.Seat{
		Layer: layer, Round: at.Absolute(), Committee: p.seats(layer, at.Round), Node: node, Proof: proof,
	}
}
