package postdata

import (
	"fmt"
	"math/bits"
	"time"

	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Options say what a directory is to hold and how it is filled (spec 02 §4.1).
type Options struct {
	Dir           string
	NodeID        wire.NodeID
	CommitmentATX wire.ATXID
	NumUnits      uint32
	MaxFileSize   uint64 // bytes; a multiple of 128 wastes no label when proving
	BatchSize     uint64 // labels
	FromFile      uint64
	ToFile        *uint64 // inclusive; nil is the last
	// Params give the units allowed, LabelsPerUnit, K1 and Scrypt.
	Params post.Params
	// Engine computes; without one a run fails with ErrNoProvider.
	Engine post.Engine
	// RetryDelay is the pause before the engine is asked again (10 times), a
	// second if zero.
	RetryDelay time.Duration
	// Progress, if set, is told the run's position after every batch and complete
	// file. It must not block.
	Progress func(position uint64)
}

// validate runs the checks of spec 02 §4.2 in order.
func (o *Options) validate() error {
	p := &o.Params
	switch {
	case o.NumUnits < p.MinNumUnits || o.NumUnits == 0:
		return fmt.Errorf("%w: %d units, at least %d", ErrConfig, o.NumUnits, p.MinNumUnits)
	case o.NumUnits > p.MaxNumUnits:
		return fmt.Errorf("%w: %d units, at most %d", ErrConfig, o.NumUnits, p.MaxNumUnits)
	case o.MaxFileSize < 1024:
		return fmt.Errorf("%w: files of %d bytes, at least 1024", ErrConfig, o.MaxFileSize)
	case o.BatchSize < 1:
		return fmt.Errorf("%w: batches of no label", ErrConfig)
	}
	labels, ok := post.NumLabels(o.NumUnits, p.LabelsPerUnit)
	if hi, _ := bits.Mul64(labels, uint64(p.K1)); !ok || hi != 0 || labels == 0 {
		return fmt.Errorf("%w: %d units of %d labels", ErrConfig, o.NumUnits, p.LabelsPerUnit)
	}
	if p.Scrypt.N == 0 || p.Scrypt.R == 0 || p.Scrypt.P == 0 {
		return fmt.Errorf("%w: scrypt parameter is zero", ErrConfig)
	}
	return nil
}

// files is the range of files to fill, inclusive.
func (o *Options) files(l post.Layout) (from, to uint64, err error) {
	to = l.Files - 1
	if o.ToFile != nil {
		if to = *o.ToFile; to > l.Files-1 {
			return 0, 0, fmt.Errorf("%w: file %d, the last is %d", ErrRange, to, l.Files-1)
		}
	}
	if o.FromFile > to {
		return 0, 0, fmt.Errorf("%w: from %d to %d", ErrRange, o.FromFile, to)
	}
	return o.FromFile, to, nil
}
