package postdata

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/smeshery/smeshery/pkg/post"
)

// engineTries is how often the engine is asked for the same labels again.
const engineTries = 10

// Run fills the files of the range and finds a VRF nonce (spec 02 §5.3–§5.5).
// Complete files are left alone; an incomplete one is continued. A cancelled ctx
// ends the run at the next batch with ErrCanceled; what was computed is on disk.
func (s *Session) Run(ctx context.Context) error {
	if !s.running.CompareAndSwap(false, true) {
		return fmt.Errorf("%w: already initializing", ErrLocked)
	}
	defer s.running.Store(false)
	unlock, err := lock(s.opts.Dir)
	if err != nil {
		return err
	}
	defer unlock()
	s.position.Store(0)
	from, to, err := s.opts.files(s.layout)
	if err != nil {
		return err
	}
	if cost := s.opts.Params.Scrypt; cost.R != 1 || cost.P != 1 || !cost.Valid() {
		return fmt.Errorf("%w: N %d, r %d, p %d; N must be a power of two, r = p = 1",
			ErrConfig, cost.N, cost.R, cost.P)
	}
	if err := s.removeRedundant(); err != nil {
		return err
	}
	if err := s.checkSpace(from, to); err != nil {
		return err
	}
	for k := from; k <= to; k++ {
		if err := s.fillFile(ctx, k); err != nil {
			return fmt.Errorf("initialize %s: %w", FileName(k), err)
		}
	}
	if s.meta.Nonce != nil || from != 0 || to != s.layout.Files-1 {
		return nil
	}
	return s.searchBeyond(ctx)
}

// removeRedundant deletes the files that a smaller number of units leaves over.
func (s *Session) removeRedundant() error {
	files, err := list(s.opts.Dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		if f.number >= s.layout.Files {
			if err := os.Remove(filepath.Join(s.opts.Dir, f.name)); err != nil {
				return fmt.Errorf("remove redundant file: %w", err)
			}
		}
	}
	return nil
}

// checkSpace refuses a run that must fail after days of work.
func (s *Session) checkSpace(from, to uint64) error {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(s.opts.Dir, &stat); err != nil {
		return nil //nolint:nilerr // a filesystem that cannot say gets the benefit of the doubt
	}
	files, err := list(s.opts.Dir)
	if err != nil {
		return err
	}
	var need, have uint64
	for k := from; k <= to; k++ {
		need += s.layout.InFile(k) * post.LabelSize
	}
	for _, f := range files {
		if f.number >= from && f.number <= to {
			have += min(f.size, s.layout.InFile(f.number)*post.LabelSize)
		}
	}
	if free := stat.Bavail * uint64(stat.Bsize); need-have > free {
		return fmt.Errorf("%w: %d bytes to write, %d free", ErrDiskFull, need-have, free)
	}
	return nil
}

// fillFile brings one file to its length.
func (s *Session) fillFile(ctx context.Context, k uint64) (err error) {
	f, err := os.OpenFile(filepath.Join(s.opts.Dir, FileName(k)), os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return diskError(err)
	}
	defer func() {
		if closeErr := f.Close(); closeErr != nil {
			err = errors.Join(err, diskError(closeErr))
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	size := uint64(info.Size())
	have, want := size/post.LabelSize, s.layout.InFile(k)
	keep := min(have, want) * post.LabelSize
	if size != keep {
		// Too long after a change of units, or torn by a crash.
		if err := f.Truncate(int64(keep)); err != nil {
			return diskError(err)
		}
		if err := f.Sync(); err != nil {
			return diskError(err)
		}
	}
	if have >= want {
		s.reached(s.layout.FirstOf(k) + want)
		return nil
	}
	if s.opts.Engine == nil {
		return ErrNoProvider
	}
	if _, err := f.Seek(int64(keep), 0); err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	err = s.appendLabels(ctx, w, s.layout.FirstOf(k), have, want)
	// Also after an error: whatever is complete is worth keeping.
	if flushErr := w.Flush(); flushErr != nil {
		return errors.Join(diskError(flushErr), err)
	}
	// A power cut must not leave a file of full length without its labels.
	if syncErr := f.Sync(); syncErr != nil {
		return errors.Join(diskError(syncErr), err)
	}
	return err
}

// appendLabels writes the labels have…want-1 of a file whose first is base.
func (s *Session) appendLabels(ctx context.Context, w *bufio.Writer, base, have, want uint64) error {
	difficulty, err := post.VRFDifficulty(s.layout.Labels)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	buf := make([]byte, min(s.opts.BatchSize, want-have)*post.LabelSize)
	for have < want {
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w", ErrCanceled, context.Cause(ctx))
		}
		out := buf[:min(s.opts.BatchSize, want-have)*post.LabelSize]
		if err := s.batch(ctx, base+have, out, difficulty); err != nil {
			return err
		}
		if _, err := w.Write(out); err != nil {
			return diskError(err)
		}
		have += uint64(len(out)) / post.LabelSize
		s.reached(base + have)
	}
	return nil
}

func (s *Session) reached(position uint64) {
	s.position.Store(position)
	if s.opts.Progress != nil {
		s.opts.Progress(position)
	}
}

// batch computes labels, checks the last one and keeps a better nonce.
func (s *Session) batch(ctx context.Context, start uint64, out []byte, difficulty [32]byte) error {
	found, err := s.compute(ctx, start, out, difficulty)
	if err != nil {
		return err
	}
	last := start + uint64(len(out))/post.LabelSize - 1
	want, err := s.reference(last)
	if err != nil {
		return err
	}
	if got := [post.LabelSize]byte(out[len(out)-post.LabelSize:]); got != want.Short() {
		return fmt.Errorf("%w: label %d of commitment %x is %x, the provider gave %x",
			ErrReferenceLabel, last, s.commitment, want.Short(), got)
	}
	if !found.Found || !better(found.Limit[:post.LabelSize], s.meta.NonceValue) {
		return nil
	}
	nonce := found.Nonce
	s.meta.Nonce, s.meta.NonceValue = &nonce, found.Limit[:post.LabelSize]
	return SaveMetadata(s.opts.Dir, &s.meta)
}

// better compares by 16 bytes only; of equal ones the earlier stays (spec 02
// §2.3).
func better(candidate, best []byte) bool {
	return best == nil || string(candidate) < string(best)
}

// compute asks the engine, again if it fails: devices do now and then.
func (s *Session) compute(ctx context.Context, start uint64, out []byte, difficulty [32]byte) (post.NonceSearch, error) {
	job := post.LabelJob{Commitment: s.commitment, N: s.opts.Params.Scrypt.N, Start: start, Difficulty: &difficulty}
	for try := 0; ; try++ {
		found, err := s.opts.Engine.Labels(job, out)
		if err == nil || errors.Is(err, post.ErrScryptParams) || try == engineTries {
			return found, err
		}
		delay := s.opts.RetryDelay
		if delay == 0 {
			delay = time.Second
		}
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return found, fmt.Errorf("%w: %w", ErrCanceled, err)
		}
	}
}
