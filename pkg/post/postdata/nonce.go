package postdata

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/smeshery/smeshery/pkg/post"
)

// searchBeyond looks for a nonce past the data, batch by batch, and can be
// resumed (spec 02 §5.5). A nonce found there is stored without its value.
func (s *Session) searchBeyond(ctx context.Context) error {
	if s.opts.Engine == nil {
		return ErrNoProvider
	}
	difficulty, err := post.VRFDifficulty(s.layout.Labels)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	position := s.layout.Labels
	if s.meta.LastPosition != nil {
		position = max(position, *s.meta.LastPosition)
	}
	buf := make([]byte, s.opts.BatchSize*post.LabelSize)
	for ; ; position += s.opts.BatchSize {
		last := position
		s.meta.LastPosition = &last
		if ctx.Err() != nil {
			return errors.Join(ErrCanceled, SaveMetadata(s.opts.Dir, &s.meta))
		}
		found, err := s.compute(ctx, position, buf, difficulty)
		if err != nil {
			return errors.Join(err, SaveMetadata(s.opts.Dir, &s.meta))
		}
		if found.Found {
			s.meta.Nonce = &found.Nonce
			return SaveMetadata(s.opts.Dir, &s.meta)
		}
	}
}

// SearchNonce finds the nonce of a directory whose metadata lost it, by reading
// the files from..to, inclusive; nil means from the first and to the last (spec 02
// §5.8). It fails with ErrNonceNotFound when no label qualifies.
func SearchNonce(ctx context.Context, dir string, from, to *uint64) (*post.Metadata, error) {
	unlock, err := lock(dir)
	if err != nil {
		if _, metaErr := LoadMetadata(dir); metaErr != nil {
			return nil, metaErr
		}
		return nil, err
	}
	defer unlock()
	meta, err := LoadMetadata(dir)
	if err != nil {
		return nil, err
	}
	layout, ok := post.NewLayout(meta.LabelsPerUnit, meta.NumUnits, meta.MaxFileSize)
	if !ok {
		return nil, fmt.Errorf("%w: sizes overflow", post.ErrMetadata)
	}
	difficulty, err := post.VRFDifficulty(layout.Labels)
	if err != nil {
		return nil, err
	}
	files, err := list(dir)
	if err != nil {
		return nil, err
	}
	best := difficulty[:]
	for _, f := range files {
		if (from != nil && f.number < *from) || (to != nil && f.number > *to) {
			continue
		}
		nonce, value, err := searchFile(ctx, dir, f, best)
		if err != nil {
			return nil, err
		}
		if value == nil {
			continue
		}
		nonce += layout.FirstOf(f.number)
		best, meta.Nonce, meta.NonceValue = value, &nonce, value
		if err := SaveMetadata(dir, meta); err != nil {
			return nil, err
		}
	}
	if len(best) != post.LabelSize {
		return nil, fmt.Errorf("%w in %s", ErrNonceNotFound, dir)
	}
	return meta, nil
}

// searchFile returns the smallest label below best and its place in the file. A
// label of 16 bytes that begins the 32 of the difficulty counts as smaller.
func searchFile(ctx context.Context, dir string, f labelFile, best []byte) (place uint64, value []byte, err error) {
	in, err := os.Open(filepath.Join(dir, f.name))
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = in.Close() }()
	r := bufio.NewReaderSize(in, 1<<20)
	var label [post.LabelSize]byte
	for i := uint64(0); ; i++ {
		if i%(1<<20) == 0 && ctx.Err() != nil {
			return 0, nil, fmt.Errorf("%w: %w", ErrCanceled, context.Cause(ctx))
		}
		switch _, err := io.ReadFull(r, label[:]); {
		case err == io.EOF:
			return place, value, nil
		case errors.Is(err, io.ErrUnexpectedEOF):
			return 0, nil, &AlteredError{File: f.name, Offset: i * post.LabelSize, Reason: "ends inside a label"}
		case err != nil:
			return 0, nil, err
		}
		if bytes.Compare(label[:], best) < 0 {
			place, value = i, bytes.Clone(label[:])
			best = value
		}
	}
}
