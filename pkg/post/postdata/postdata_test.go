package postdata

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/post/postdata/cpu"
	"github.com/smeshery/smeshery/pkg/wire"
)

func smallParams() post.Params {
	return post.Params{
		MinNumUnits: 1, MaxNumUnits: 10, LabelsPerUnit: 256, K1: 12, K2: 8,
		PowDifficulty: [32]byte(bytes.Repeat([]byte{0xff}, 32)), Scrypt: post.Scrypt{N: 2, R: 1, P: 1},
	}
}

func smallOptions(dir string) Options {
	return Options{
		Dir: dir, NodeID: wire.NodeID{1}, CommitmentATX: wire.ATXID{2}, NumUnits: 4,
		MaxFileSize: 4096 + 128, BatchSize: 100, Params: smallParams(), Engine: cpu.New(2), RetryDelay: 1,
	}
}

func initialized(t *testing.T) (string, Options) {
	t.Helper()
	opts := smallOptions(t.TempDir())
	s, err := Open(opts)
	require.NoError(t, err)
	require.NoError(t, s.Run(t.Context()))
	require.Equal(t, StatusCompleted, s.Status())
	return opts.Dir, opts
}

// trivialSolver fits a pow hasher that makes every solution valid.
type trivialSolver struct{}

func (trivialSolver) Solve(context.Context, post.PowTask) (uint64, error) { return 7, nil }
func (trivialSolver) Hash([]byte) ([32]byte, error)                       { return [32]byte{}, nil }

func TestProofOfFilesVerifies(t *testing.T) {
	dir, opts := initialized(t)
	v, err := post.NewVerifier(opts.Params, trivialSolver{}, 2)
	require.NoError(t, err)
	for _, threads := range []int{1, 3} {
		for challenge := range byte(20) {
			proof, meta, err := Prove(t.Context(), dir, wire.Hash32{challenge}, ProveConfig{
				Params: opts.Params, Nonces: 32, Threads: threads, Solver: trivialSolver{},
			})
			require.NoError(t, err)
			require.NoError(t, v.Verify(&post.Task{Proof: *proof, Statement: post.Statement{
				NodeID: meta.NodeID, CommitmentATX: meta.CommitmentATX,
				Challenge: wire.Hash32{challenge}, NumUnits: meta.NumUnits,
			}}))
		}
	}
}

func TestProveEndsAfterAllNonces(t *testing.T) {
	dir, opts := initialized(t)
	opts.Params.K2 = 1000
	_, _, err := Prove(t.Context(), dir, wire.Hash32{}, ProveConfig{
		Params: opts.Params, Nonces: 288, Threads: 2, Solver: trivialSolver{},
	})
	require.ErrorIs(t, err, ErrNoProof)
}

func TestProveStopsWithItsContext(t *testing.T) {
	dir, opts := initialized(t)
	opts.Params.K2 = 1000
	ctx, cancel := context.WithCancel(t.Context())
	_, _, err := Prove(ctx, dir, wire.Hash32{}, ProveConfig{
		Params: opts.Params, Nonces: 16, Threads: 2, Solver: trivialSolver{},
		Scanned: func(uint64) { cancel() },
	})
	require.ErrorIs(t, err, ErrCanceled)
}

func TestProveRefusesAlteredFiles(t *testing.T) {
	for name, alter := range map[string]func(dir string) error{
		"missing": func(dir string) error { return os.Remove(filepath.Join(dir, FileName(1))) },
		"short":   func(dir string) error { return os.Truncate(filepath.Join(dir, FileName(1)), 16) },
		"long":    func(dir string) error { return os.Truncate(filepath.Join(dir, FileName(1)), 1<<20) },
	} {
		t.Run(name, func(t *testing.T) {
			dir, opts := initialized(t)
			require.NoError(t, alter(dir))
			_, _, err := Prove(t.Context(), dir, wire.Hash32{}, ProveConfig{
				Params: opts.Params, Nonces: 16, Threads: 1, Solver: trivialSolver{},
			})
			var altered *AlteredError
			require.ErrorAs(t, err, &altered)
			require.Equal(t, FileName(1), altered.File)
		})
	}
}

func TestCheckFindsAlteredLabel(t *testing.T) {
	dir, opts := initialized(t)
	cfg := CheckConfig{Scrypt: opts.Params.Scrypt, Percent: 100}
	require.NoError(t, Check(t.Context(), dir, cfg))
	path := filepath.Join(dir, FileName(2))
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	raw[16*40+3] ^= 1
	require.NoError(t, os.WriteFile(path, raw, fileMode))
	var altered *AlteredError
	require.ErrorAs(t, Check(t.Context(), dir, cfg), &altered)
	require.Equal(t, AlteredError{File: FileName(2), Offset: 16 * 40, Reason: altered.Reason}, *altered)
	file := uint64(1)
	cfg.To = &file
	require.NoError(t, Check(t.Context(), dir, cfg))
}

func TestSampleIsDistinctAndSorted(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, percent := range []float64{0, 0.5, 5, 20, 99, 100} {
		got := sample(r, 1000, percent)
		require.Len(t, got, int(percent*10))
		for i := 1; i < len(got); i++ {
			require.Less(t, got[i-1], got[i])
		}
	}
}

func TestDirectoryIsLocked(t *testing.T) {
	dir, opts := initialized(t)
	unlock, err := lock(dir)
	require.NoError(t, err)
	_, err = Open(opts)
	require.ErrorIs(t, err, ErrLocked)
	require.ErrorIs(t, Reset(dir), ErrLocked)
	_, err = SearchNonce(t.Context(), dir, nil, nil)
	require.ErrorIs(t, err, ErrLocked)
	unlock()
	require.NoError(t, Reset(dir))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

// flaky fails a number of times, or lies about the last label.
type flaky struct {
	post.Engine
	failures int
	lie      bool
}

func (f *flaky) Labels(job post.LabelJob, out []byte) (post.NonceSearch, error) {
	if f.failures--; f.failures >= 0 {
		return post.NonceSearch{}, errors.New("device is gone")
	}
	found, err := f.Engine.Labels(job, out)
	if f.lie {
		out[len(out)-1] ^= 1
	}
	return found, err
}

func TestEngineIsAskedAgain(t *testing.T) {
	opts := smallOptions(t.TempDir())
	opts.Engine = &flaky{Engine: cpu.New(1), failures: engineTries}
	s, err := Open(opts)
	require.NoError(t, err)
	require.NoError(t, s.Run(t.Context()))

	opts = smallOptions(t.TempDir())
	opts.Engine = &flaky{Engine: cpu.New(1), failures: engineTries + 1}
	s, err = Open(opts)
	require.NoError(t, err)
	require.ErrorContains(t, s.Run(t.Context()), "device is gone")
}

func TestLyingEngineIsNoticed(t *testing.T) {
	opts := smallOptions(t.TempDir())
	opts.Engine = &flaky{Engine: cpu.New(1), lie: true}
	s, err := Open(opts)
	require.NoError(t, err)
	require.ErrorIs(t, s.Run(t.Context()), ErrReferenceLabel)
	labels, err := labelsOnDisk(opts.Dir)
	require.NoError(t, err)
	require.Zero(t, labels)
}

func TestFullDiskIsNamed(t *testing.T) {
	require.ErrorIs(t, diskError(&os.PathError{Op: "write", Err: syscall.ENOSPC}), ErrDiskFull)
	other := errors.New("other")
	require.Equal(t, other, diskError(other))
}

func TestSpaceIsCheckedBeforeARun(t *testing.T) {
	opts := smallOptions(t.TempDir())
	opts.Params.LabelsPerUnit, opts.MaxFileSize = 1<<50, 1<<56
	s, err := Open(opts)
	require.NoError(t, err)
	require.ErrorIs(t, s.Run(t.Context()), ErrDiskFull)
	require.Equal(t, StatusNotStarted, s.Status())
}

// TestCutAnywhereResumes cuts the files at every kind of place and expects the
// same bytes after the next run.
func TestCutAnywhereResumes(t *testing.T) {
	dir, opts := initialized(t)
	var want [][]byte
	for k := range uint64(4) {
		raw, err := os.ReadFile(filepath.Join(dir, FileName(k)))
		require.NoError(t, err)
		want = append(want, raw)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		k := r.Uint64N(4)
		require.NoError(t, os.Truncate(filepath.Join(dir, FileName(k)), r.Int64N(int64(len(want[k])+1))))
		s, err := Open(opts)
		require.NoError(t, err)
		require.NoError(t, s.Run(t.Context()))
		raw, err := os.ReadFile(filepath.Join(dir, FileName(k)))
		require.NoError(t, err)
		require.True(t, bytes.Equal(raw, want[k]), "file %d differs after resuming", k)
	}
}

// TestOneRunAtATime starts a second run from inside the first.
func TestOneRunAtATime(t *testing.T) {
	opts := smallOptions(t.TempDir())
	var s *Session
	var once sync.Once
	opts.Progress = func(uint64) {
		once.Do(func() {
			require.Equal(t, StatusInitializing, s.Status())
			require.ErrorIs(t, s.Run(t.Context()), ErrLocked)
		})
	}
	s, err := Open(opts)
	require.NoError(t, err)
	require.NoError(t, s.Run(t.Context()))
}
