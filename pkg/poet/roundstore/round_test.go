package roundstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/wire"
)

var smallRound = Config{
	Statement:       []byte("a statement of a round, 32 bytes"),
	KeptLayer:       2,
	SecurityParam:   10,
	CheckpointEvery: 7,
	Batch:           1,
}

const smallLeaves = 45

// attempt works, proves and reports what a crash would have left behind.
func attempt(dir FS, cfg Config, leaves uint64) (proof wire.PoetProof, saved uint64, err error) {
	r, err := Open(dir, cfg)
	if err != nil {
		return proof, 0, err
	}
	defer r.Close()
	if proof, ok := r.Proof(); ok {
		return proof, leaves, nil
	}
	if r.Leaves() < leaves {
		if err = r.Work(context.Background(), func() bool { return r.Leaves() >= leaves }); err != nil {
			return proof, r.Saved(), err
		}
	}
	proof, err = r.Prove(context.Background(), 2)
	return proof, r.Saved(), err
}

func uninterrupted(t testing.TB, cfg Config, leaves uint64) (wire.PoetProof, int) {
	t.Helper()
	dir := newCrashFS()
	proof, _, err := attempt(dir, cfg, leaves)
	require.NoError(t, err)
	require.NoError(t, poet.VerifyProof(cfg.Statement, &proof, cfg.SecurityParam))
	return proof, dir.calls
}

func TestCrashAtEveryStepEndsInTheSameProof(t *testing.T) {
	want, calls := uninterrupted(t, smallRound, smallLeaves)
	require.Greater(t, calls, 50)
	for seed := range uint64(8) {
		for failAt := 1; failAt <= calls; failAt++ {
			rng := rand.New(rand.NewPCG(seed, uint64(failAt)))
			dir := newCrashFS()
			dir.failAt = failAt
			_, saved, err := attempt(dir, smallRound, smallLeaves)
			require.ErrorIs(t, err, errCrash)
			dir.reboot(rng, 0)
			requireSaved(t, dir, saved)
			got, _, err := attempt(dir, smallRound, smallLeaves)
			require.NoError(t, err, "seed %d, crash at call %d", seed, failAt)
			require.Equal(t, want, got, "seed %d, crash at call %d", seed, failAt)
		}
	}
}

// requireSaved checks that what was reported as saved outlives the crash.
func requireSaved(t *testing.T, dir *crashFS, saved uint64) {
	t.Helper()
	r, err := Open(dir, smallRound)
	require.NoError(t, err)
	require.GreaterOrEqual(t, r.Leaves(), saved)
	require.NoError(t, r.Close())
}

func TestCrashingAgainAndAgainEndsInTheSameProof(t *testing.T) {
	want, _ := uninterrupted(t, smallRound, smallLeaves)
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 0))
		dir := newCrashFS()
		for crashes := 0; ; crashes++ {
			require.Less(t, crashes, 1000, "no progress")
			dir.failAt = 12 + rng.IntN(10)
			got, _, err := attempt(dir, smallRound, smallLeaves)
			if err == nil {
				require.Equal(t, want, got)
				break
			}
			require.ErrorIs(t, err, errCrash, "seed %d", seed)
			dir.reboot(rng, 0)
		}
	}
}

func TestStopAtEveryLeafEndsInTheSameProof(t *testing.T) {
	want, _ := uninterrupted(t, smallRound, smallLeaves)
	for stop := 1; stop < smallLeaves; stop++ {
		dir := newCrashFS()
		r, err := Open(dir, smallRound)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		stopping := func() bool {
			if r.Leaves() == uint64(stop-1) {
				cancel()
			}
			return false
		}
		if stop <= smallRound.SecurityParam {
			cancel()
		}
		require.ErrorIs(t, r.Work(ctx, stopping), context.Canceled)
		cancel()
		require.Equal(t, r.Leaves(), r.Saved())
		got, _, err := attempt(dir, smallRound, smallLeaves)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestRoundWorksPastItsTimeUntilThereIsAProof(t *testing.T) {
	r, err := Open(newCrashFS(), smallRound)
	require.NoError(t, err)
	require.NoError(t, r.Work(context.Background(), func() bool { return true }))
	require.EqualValues(t, smallRound.SecurityParam, r.Leaves())
}

func TestDamageIsReported(t *testing.T) {
	finished := func() *crashFS {
		dir := newCrashFS()
		r, err := Open(dir, smallRound)
		require.NoError(t, err)
		require.NoError(t, r.Work(context.Background(), func() bool { return r.Leaves() >= smallLeaves }))
		return dir
	}
	for name, damage := range map[string]func(*crashFS){
		"checkpoint": func(c *crashFS) { c.live[workFile].live[3] ^= 1 },
		"short":      func(c *crashFS) { c.live[layerFile].live = c.live[layerFile].live[:100] },
		"kept node":  func(c *crashFS) { c.live[layerFile].live[5] ^= 1 },
	} {
		t.Run(name, func(t *testing.T) {
			dir := finished()
			damage(dir)
			_, _, err := attempt(dir, smallRound, smallLeaves)
			require.ErrorIs(t, err, ErrLost)
		})
	}
	other := smallRound
	other.Statement = []byte("another one")
	_, _, err := attempt(finished(), other, smallLeaves)
	require.ErrorIs(t, err, ErrOtherRound)
}

func TestDiscardLeavesNothing(t *testing.T) {
	path := t.TempDir()
	dir, err := Dir(path)
	require.NoError(t, err)
	want, _ := uninterrupted(t, smallRound, smallLeaves)
	got, _, err := attempt(dir, smallRound, smallLeaves)
	require.NoError(t, err)
	require.Equal(t, want, got)
	stored, err := StoredProof(dir)
	require.NoError(t, err)
	require.Equal(t, &want, stored)
	r, err := Open(dir, smallRound)
	require.NoError(t, err)
	require.NoError(t, r.Discard())
	left, err := os.ReadDir(path)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestReplaceKeepsTheOldOrTheNew(t *testing.T) {
	for failAt := 1; failAt < 8; failAt++ {
		rng := rand.New(rand.NewPCG(1, uint64(failAt)))
		dir := newCrashFS()
		require.NoError(t, replace(dir, "x", []byte("old and longer")))
		dir.calls, dir.failAt = 0, failAt
		err := replace(dir, "x", []byte("new"))
		dir.reboot(rng, 0)
		got, readErr := dir.ReadFile("x")
		require.NoError(t, readErr)
		if err == nil {
			require.Equal(t, "new", string(got))
		} else {
			require.True(t, errors.Is(err, errCrash))
			require.Contains(t, []string{"old and longer", "new"}, string(got))
		}
	}
}
