package eligibility

import (
	"errors"
	"fmt"

	"github.com/smeshery/smeshery/pkg/wire"
)

// Params are a network's numbers for the oracle.
type Params struct {
	LayersPerEpoch uint32
	// Confidence is how many layers of an epoch still use the active set of
	// the epoch before.
	Confidence uint32
	// EffectiveGenesis is the last layer that has no consensus.
	EffectiveGenesis wire.LayerID
}

// ErrConfidence says that the confidence does not fit an epoch.
var ErrConfidence = errors.New("eligibility confidence is not below the layers of an epoch")

// Validate refuses numbers that no network can start with (spec 05 §1.1).
func (p Params) Validate() error {
	if p.LayersPerEpoch == 0 || p.Confidence >= p.LayersPerEpoch {
		return fmt.Errorf("%w: %d of %d", ErrConfidence, p.Confidence, p.LayersPerEpoch)
	}
	return nil
}

// TargetEpoch is the epoch whose active set decides in a layer. Genesis layers
// have none: ErrEmptyActiveSet (spec 05 §2.2).
func (p Params) TargetEpoch(layer wire.LayerID) (wire.EpochID, error) {
	if layer <= p.EffectiveGenesis {
		return 0, ErrEmptyActiveSet
	}
	epoch := layer.Epoch(p.LayersPerEpoch)
	first := (p.EffectiveGenesis + 1).Epoch(p.LayersPerEpoch)
	if epoch > first && layer.Ordinal(p.LayersPerEpoch) < p.Confidence {
		return epoch - 1, nil
	}
	return epoch, nil
}
