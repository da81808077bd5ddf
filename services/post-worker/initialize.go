package postworker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/smeshery/smeshery/pkg/bus"
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/post/postdata"
	"github.com/smeshery/smeshery/pkg/post/postdata/cpu"
	"github.com/smeshery/smeshery/pkg/post/postdata/nice"
)

// errLarger says that data would have to shrink, which only a person may decide.
var errLarger = errors.New("the data is larger than wanted")

// initialize makes an identity's data, or the rest of it.
func (s *Service) initialize(ctx context.Context, j *job) (codec.Coded, error) {
	var in bus.PostInitInput
	if err := codec.Decode(j.task.Input, &in); err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	opts := postdata.Options{
		Dir: s.disk.of(j.task.Node), NodeID: j.task.Node, CommitmentATX: in.Commitment, NumUnits: in.Units,
		MaxFileSize: s.cfg.MaxFileSize, BatchSize: s.cfg.Batch, Params: s.params, Engine: s.engine(),
	}
	if err := s.adopt(&opts); err != nil {
		return nil, s.trouble(&opts, err)
	}
	total, _ := post.NumLabels(opts.NumUnits, s.params.LabelsPerUnit)
	j.total.Store(total)
	var last uint64
	opts.Progress = func(position uint64) {
		if last > 0 && position > last {
			s.metrics.labels.Add(float64(position - last))
		}
		last = position
		j.done.Store(min(position, total))
	}
	session, err := postdata.Open(opts)
	if err != nil {
		return nil, s.trouble(&opts, err)
	}
	if err := session.Run(ctx); err != nil {
		return nil, s.trouble(&opts, err)
	}
	data, _, err := s.disk.data(opts.Dir)
	if err != nil {
		return nil, s.trouble(&opts, err)
	}
	if !data.Complete {
		return nil, &setback{error: errors.New("the data is not complete after a run"), after: s.cfg.Retry}
	}
	return &data, nil
}

func (s *Service) engine() post.Engine {
	if s.deps.Engine != nil {
		return s.deps.Engine()
	}
	return cpu.NewNice(s.cfg.Threads, s.nice(nice.Initializing))
}

// adopt takes over what existing data was made with: its commitment and the size
// of its files. What would destroy data is refused.
func (s *Service) adopt(o *postdata.Options) error {
	data, m, err := s.disk.data(o.Dir)
	if errors.Is(err, postdata.ErrMetadataMissing) {
		return nil
	}
	if err != nil {
		return err
	}
	if data.Node != o.NodeID {
		return fmt.Errorf("%w: %s holds data of %s, not of %s", ErrOtherIdentity, o.Dir, data.Node, o.NodeID)
	}
	if data.Units > o.NumUnits {
		return fmt.Errorf("%w: %s holds %d units, %d are wanted; \"smeshery post init\" makes it smaller",
			errLarger, o.Dir, data.Units, o.NumUnits)
	}
	if m.CommitmentATX != o.CommitmentATX {
		s.deps.Log.Info("data keeps the commitment it was made with", "smesher", o.NodeID, "commitment", m.CommitmentATX)
	}
	o.CommitmentATX, o.MaxFileSize = m.CommitmentATX, m.MaxFileSize
	return nil
}

// trouble tells errors that pass from those that stay.
func (s *Service) trouble(o *postdata.Options, err error) error {
	var mismatch *postdata.MismatchError
	switch {
	case errors.As(err, &mismatch), errors.Is(err, ErrOtherIdentity), errors.Is(err, errLarger), errors.Is(err, postdata.ErrConfig),
		errors.Is(err, post.ErrMetadata), errors.Is(err, postdata.ErrMetadataMissing):
		return fmt.Errorf("initialize %s: %w", o.Dir, err)
	case errors.Is(err, postdata.ErrLocked):
		return &setback{error: err, after: min(s.cfg.Retry, 5*time.Second)}
	}
	var errno syscall.Errno
	disk := errors.Is(err, postdata.ErrDiskFull) || errors.As(err, &errno)
	if errors.Is(err, syscall.EROFS) || errors.Is(err, os.ErrPermission) {
		err = fmt.Errorf("%s cannot be written: %w", o.Dir, err)
	}
	return &setback{error: err, after: s.cfg.Retry, release: disk && !begun(o.Dir)}
}

// begun tells whether any label is on disk.
func begun(dir string) bool {
	info, err := os.Stat(dir + string(os.PathSeparator) + postdata.FileName(0))
	return err == nil && info.Size() >= post.LabelSize
}
