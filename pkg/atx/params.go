package atx

import (
	"errors"
	"fmt"
	"slices"

	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Params are the numbers of a network that decide about ATXs (spec 04 §3).
type Params struct {
	Golden         wire.ATXID
	LayersPerEpoch uint32
	// TickSize is in PoET leaves and not 0.
	TickSize      uint64
	LabelsPerUnit uint64
	MinNumUnits   uint32
	MaxNumUnits   uint32
	Versions      Versions
}

// ParamsOf picks the numbers out of a network's.
func ParamsOf(n *network.Params) Params {
	return Params{
		Golden:         n.Genesis.GoldenATX(),
		LayersPerEpoch: n.LayersPerEpoch,
		TickSize:       n.TickSize,
		LabelsPerUnit:  n.Post.LabelsPerUnit,
		MinNumUnits:    n.Post.MinNumUnits,
		MaxNumUnits:    n.Post.MaxNumUnits,
		Versions:       n.ATXVersions,
	}
}

// Versions tells from which publish epoch on which version is in force,
// ascending by epoch. Version 1 precedes the first entry.
type Versions []network.ATXVersion

// Versions of the encoding.
const (
	Version1 uint8 = 1
	Version2 uint8 = 2
)

// ErrVersions refuses a table of versions.
var ErrVersions = errors.New("atx version table")

// Validate wants known versions that do not decrease, ascending by epoch.
func (v Versions) Validate() error {
	last := network.ATXVersion{Version: Version1}
	for i, entry := range v {
		switch {
		case entry.Version != Version1 && entry.Version != Version2:
			return fmt.Errorf("%w: unknown version %d from epoch %d", ErrVersions, entry.Version, entry.Epoch)
		case i > 0 && entry.Epoch <= last.Epoch:
			return fmt.Errorf("%w: epoch %d follows %d", ErrVersions, entry.Epoch, last.Epoch)
		case entry.Version < last.Version:
			return fmt.Errorf("%w: version %d follows %d", ErrVersions, entry.Version, last.Version)
		}
		last = entry
	}
	return nil
}

// At is the version in force for a publish epoch (spec 01 §5.6).
func (v Versions) At(publish wire.EpochID) uint8 {
	for _, entry := range slices.Backward(v) {
		if entry.Epoch <= publish {
			return entry.Version
		}
	}
	return Version1
}
