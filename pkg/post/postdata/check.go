package postdata

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"github.com/smeshery/smeshery/pkg/post"
)

// CheckConfig says which labels of a directory to recompute (spec 02 §6).
type CheckConfig struct {
	Scrypt   post.Scrypt
	From, To *uint64 // files, inclusive; nil is the first and the last
	Percent  float64 // of the labels of each file; 100 is all of them
	Rand     *rand.Rand
}

// Check recomputes a random part of the labels on disk. It fails with an
// *AlteredError at the first wrong or missing label. Sizes of files, surplus files
// and the VRF nonce are not looked at.
func Check(ctx context.Context, dir string, cfg CheckConfig) error {
	meta, err := LoadMetadata(dir)
	if err != nil {
		return err
	}
	layout, ok := post.NewLayout(meta.LabelsPerUnit, meta.NumUnits, meta.MaxFileSize)
	if !ok {
		return fmt.Errorf("%w: sizes overflow", post.ErrMetadata)
	}
	labeler, err := post.NewLabeler(cfg.Scrypt)
	if err != nil {
		return err
	}
	from, to := uint64(0), layout.Files-1
	if cfg.From != nil {
		from = *cfg.From
	}
	if cfg.To != nil {
		to = *cfg.To
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	commitment := post.Commitment(meta.NodeID, meta.CommitmentATX)
	for k := from; k <= to && k < layout.Files; k++ {
		positions := sample(cfg.Rand, layout.InFile(k), cfg.Percent)
		c := fileCheck{name: FileName(k), first: layout.FirstOf(k), commitment: commitment, labeler: labeler}
		if err := c.run(ctx, dir, positions); err != nil {
			return err
		}
	}
	return nil
}

// sample draws distinct positions, sorted. A large share is drawn by running
// over all of them, a small one by drawing again what was drawn before.
func sample(r *rand.Rand, labels uint64, percent float64) []uint64 {
	want := uint64(float64(labels) * min(max(percent, 0), 100) / 100)
	out := make([]uint64, 0, want)
	if want > labels/8 {
		for pos := range labels {
			if left := want - uint64(len(out)); left > 0 && r.Uint64N(labels-pos) < left {
				out = append(out, pos)
			}
		}
		return out
	}
	seen := make(map[uint64]struct{}, want)
	for uint64(len(out)) < want {
		pos := r.Uint64N(labels)
		if _, again := seen[pos]; !again {
			seen[pos] = struct{}{}
			out = append(out, pos)
		}
	}
	slices.Sort(out)
	return out
}

type fileCheck struct {
	name       string
	first      uint64
	commitment [32]byte
	labeler    *post.Labeler
}

// run compares positions of one file, as many at a time as the labeler likes.
func (c *fileCheck) run(ctx context.Context, dir string, positions []uint64) error {
	f, err := os.Open(filepath.Join(dir, c.name))
	if err != nil {
		return fmt.Errorf("check labels: %w", err)
	}
	defer func() { _ = f.Close() }()
	for group := range slices.Chunk(positions, c.labeler.Lanes()) {
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w", ErrCanceled, context.Cause(ctx))
		}
		places := make([]post.Place, len(group))
		want := make([]post.FullLabel, len(group))
		for i, pos := range group {
			places[i] = post.Place{Commitment: c.commitment, Index: c.first + pos}
		}
		c.labeler.Fill(places, want)
		for i, pos := range group {
			if err := c.compare(f, pos, want[i].Short()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *fileCheck) compare(f *os.File, pos uint64, want [post.LabelSize]byte) error {
	var got [post.LabelSize]byte
	offset := pos * post.LabelSize
	if _, err := f.ReadAt(got[:], int64(offset)); err != nil {
		if errors.Is(err, io.EOF) {
			return &AlteredError{File: c.name, Offset: offset, Reason: "label is missing"}
		}
		return fmt.Errorf("check labels: %w", err)
	}
	if got != want {
		return &AlteredError{File: c.name, Offset: offset, Reason: fmt.Sprintf("label is %x, should be %x", got, want)}
	}
	return nil
}
