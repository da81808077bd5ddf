package wire

import (
	"strconv"

	"github.com/smeshery/smeshery/pkg/codec"
)

type (
	// LayerID counts layers from genesis.
	LayerID uint32
	// EpochID counts epochs from genesis.
	EpochID uint32
)

// Epoch is the epoch that holds the layer (spec 01 §23). layersPerEpoch is not 0.
func (l LayerID) Epoch(layersPerEpoch uint32) EpochID {
	return EpochID(uint32(l) / layersPerEpoch)
}

// Ordinal is the position of the layer in its epoch.
func (l LayerID) Ordinal(layersPerEpoch uint32) uint32 { return uint32(l) % layersPerEpoch }

// FirstInEpoch tells whether the layer opens its epoch.
func (l LayerID) FirstInEpoch(layersPerEpoch uint32) bool { return l.Ordinal(layersPerEpoch) == 0 }

// FirstLayer is the layer that opens the epoch.
func (e EpochID) FirstLayer(layersPerEpoch uint32) LayerID {
	return LayerID(uint32(e) * layersPerEpoch)
}

// Code is a compact 32-bit integer.
func (l *LayerID) Code(c *codec.Coder) { c.Compact32((*uint32)(l)) }

// Code is a compact 32-bit integer.
func (e *EpochID) Code(c *codec.Coder) { c.Compact32((*uint32)(e)) }

func (l LayerID) String() string { return strconv.FormatUint(uint64(l), 10) }
func (e EpochID) String() string { return strconv.FormatUint(uint64(e), 10) }
