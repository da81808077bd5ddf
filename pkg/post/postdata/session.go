package postdata

import (
	"fmt"
	"os"
	"sync/atomic"

	"github.com/smeshery/smeshery/pkg/post"
)

// Status of a directory (spec 02 §5.1).
type Status string

// The states.
const (
	StatusNotStarted   Status = "NotStarted"
	StatusStarted      Status = "Started"
	StatusInitializing Status = "Initializing"
	StatusCompleted    Status = "Completed"
	StatusError        Status = "Error"
)

// Session fills one directory. Run may be called again after it failed.
type Session struct {
	opts       Options
	commitment [32]byte
	layout     post.Layout
	meta       post.Metadata
	running    atomic.Bool
	position   atomic.Uint64
	labeler    *post.Labeler // for reference labels, made when needed
}

// Open checks the options and the directory against each other and writes the
// metadata (spec 02 §5.2). It fails with ErrConfig, ErrMetadataMissing, a
// *MismatchError or ErrLocked, and then has written nothing.
func Open(opts Options) (*Session, error) {
	if err := opts.validate(); err != nil {
		return nil, err
	}
	layout, ok := post.NewLayout(opts.Params.LabelsPerUnit, opts.NumUnits, opts.MaxFileSize)
	if !ok {
		return nil, fmt.Errorf("%w: sizes overflow", ErrConfig)
	}
	s := &Session{
		opts: opts, layout: layout, commitment: post.Commitment(opts.NodeID, opts.CommitmentATX),
		meta: post.Metadata{
			NodeID: opts.NodeID, CommitmentATX: opts.CommitmentATX, LabelsPerUnit: opts.Params.LabelsPerUnit,
			NumUnits: opts.NumUnits, MaxFileSize: opts.MaxFileSize,
		},
	}
	if err := os.MkdirAll(opts.Dir, dirMode); err != nil {
		return nil, fmt.Errorf("open data directory: %w", diskError(err))
	}
	unlock, err := lock(opts.Dir)
	if err != nil {
		return nil, err
	}
	defer unlock()
	labels, err := labelsOnDisk(opts.Dir)
	if err != nil {
		return nil, err
	}
	if labels > 0 {
		if err := s.takeOver(); err != nil {
			return nil, err
		}
	}
	return s, SaveMetadata(opts.Dir, &s.meta)
}

// takeOver compares with the metadata of existing labels and keeps its nonce.
// Without a label on disk a metadata file is worth nothing.
func (s *Session) takeOver() error {
	old, err := LoadMetadata(s.opts.Dir)
	if err != nil {
		return err
	}
	if err := mismatch(old, &s.meta); err != nil {
		return err
	}
	s.meta.Nonce, s.meta.NonceValue, s.meta.LastPosition = old.Nonce, old.NonceValue, old.LastPosition
	if old.Nonce == nil || old.NonceValue != nil {
		return nil
	}
	label, err := s.reference(*old.Nonce)
	if err != nil {
		return err
	}
	s.meta.NonceValue = label[:post.LabelSize]
	return nil
}

// mismatch compares in the order in which other tools do.
func mismatch(have, want *post.Metadata) error {
	for _, p := range []struct {
		name       string
		same       bool
		have, want any
	}{
		{"NodeId", have.NodeID == want.NodeID, have.NodeID, want.NodeID},
		{"CommitmentAtxId", have.CommitmentATX == want.CommitmentATX, have.CommitmentATX, want.CommitmentATX},
		{"LabelsPerUnit", have.LabelsPerUnit == want.LabelsPerUnit, have.LabelsPerUnit, want.LabelsPerUnit},
		{"MaxFileSize", have.MaxFileSize == want.MaxFileSize, have.MaxFileSize, want.MaxFileSize},
		{"NumUnits", want.NumUnits <= have.NumUnits, have.NumUnits, want.NumUnits},
	} {
		if !p.same {
			return &MismatchError{Param: p.name, Have: fmt.Sprintf("%v", p.have), Want: fmt.Sprintf("%v", p.want)}
		}
	}
	return nil
}

// reference computes a label on this goroutine, independently of the engine.
func (s *Session) reference(index uint64) (post.FullLabel, error) {
	if s.labeler == nil {
		labeler, err := post.NewLabeler(s.opts.Params.Scrypt)
		if err != nil {
			return post.FullLabel{}, err
		}
		s.labeler = labeler
	}
	return s.labeler.Label(post.Place{Commitment: s.commitment, Index: index}), nil
}

// Status tells how far the directory is. It may be called during Run.
func (s *Session) Status() Status {
	if s.running.Load() {
		return StatusInitializing
	}
	switch labels, err := labelsOnDisk(s.opts.Dir); {
	case err != nil:
		return StatusError
	case labels == 0:
		return StatusNotStarted
	case labels == s.layout.Labels:
		return StatusCompleted
	default:
		return StatusStarted
	}
}

// Position is the index behind the last label that the run has written or found
// written. With all files in range it is the number of labels on disk.
func (s *Session) Position() uint64 { return s.position.Load() }

// Metadata is what the metadata file holds. It must not be called during Run.
func (s *Session) Metadata() post.Metadata { return s.meta }

// Layout is how the labels are spread over files.
func (s *Session) Layout() post.Layout { return s.layout }
