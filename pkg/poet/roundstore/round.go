package roundstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/wire"
)

const (
	layerFile = "layer.bin"
	workFile  = "work.bin"
	proofFile = "proof.bin"
	nodeSize  = int64(len(poet.Node{}))
)

// Errors of opening a round.
var (
	// ErrLost means that the files do not hold what their checkpoint counts on.
	ErrLost = errors.New("round is lost")
	// ErrOtherRound means that the directory belongs to another statement.
	ErrOtherRound = errors.New("directory holds another round")
)

// Config says what to work on.
type Config struct {
	// Statement is the membership root of the closed round.
	Statement []byte
	// KeptLayer is used when the work begins; later the files decide.
	KeptLayer uint8
	// SecurityParam is how many leaves the proof opens and how many there are
	// at least; poet.SecurityParam if it is 0.
	SecurityParam int
	// CheckpointEvery is the number of leaves between checkpoints, by default
	// 2^20, which is a few seconds more than ten.
	CheckpointEvery uint64
	// Batch is the number of leaves between looks at the clock, by default 64,
	// which is about a millisecond.
	Batch uint64
}

func (c Config) withDefaults() Config {
	if c.SecurityParam == 0 {
		c.SecurityParam = poet.SecurityParam
	}
	if c.CheckpointEvery == 0 {
		c.CheckpointEvery = 1 << 20
	}
	if c.Batch == 0 {
		c.Batch = 64
	}
	return c
}

// Round is a round at work. One goroutine at a time may use it.
type Round struct {
	cfg   Config
	dir   FS
	layer File
	work  *poet.Work
	// written are the kept nodes in the file, pending those that are not.
	written uint64
	pending []byte
	saved   uint64
	proof   *wire.PoetProof
}

// Open starts the round or continues it at its last checkpoint.
func Open(dir FS, cfg Config) (*Round, error) {
	r := &Round{cfg: cfg.withDefaults(), dir: dir}
	checkpoint, err := r.lastCheckpoint()
	if err != nil {
		return nil, err
	}
	if r.work, err = poet.ResumeWork(checkpoint); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLost, err)
	}
	if r.proof, err = loadProof(dir); err != nil {
		return nil, err
	}
	if err := r.openLayer(checkpoint.KeptNodes()); err != nil {
		return nil, err
	}
	r.saved = checkpoint.Leaves
	return r, nil
}

func (r *Round) lastCheckpoint() (poet.Checkpoint, error) {
	sealed, err := r.dir.ReadFile(workFile)
	if errors.Is(err, fs.ErrNotExist) {
		return poet.Checkpoint{Statement: r.cfg.Statement, KeptLayer: r.cfg.KeptLayer}, nil
	}
	if err != nil {
		return poet.Checkpoint{}, err
	}
	checkpoint, err := poet.OpenCheckpoint(sealed)
	if err != nil {
		return poet.Checkpoint{}, fmt.Errorf("%w: %w", ErrLost, err)
	}
	if !bytes.Equal(checkpoint.Statement, r.cfg.Statement) {
		return poet.Checkpoint{}, ErrOtherRound
	}
	return checkpoint, nil
}

// openLayer cuts off what was written after the checkpoint.
func (r *Round) openLayer(nodes uint64) error {
	f, err := r.dir.Open(layerFile)
	if err != nil {
		return err
	}
	size, err := f.Size()
	want := int64(nodes) * nodeSize
	switch {
	case err != nil:
	case size < want:
		err = fmt.Errorf("%w: %d bytes of kept nodes instead of %d", ErrLost, size, want)
	case size > want:
		err = f.Truncate(want)
	}
	if err == nil {
		err = r.dir.Sync()
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	r.layer, r.written = f, nodes
	return nil
}

// Leaves is how many leaves there are.
func (r *Round) Leaves() uint64 { return r.work.Leaves() }

// Saved is how many leaves a crash now would leave.
func (r *Round) Saved() uint64 { return r.saved }

// Work adds leaves until over reports that the round's time is up, and then
// until there are enough for a proof; at least one batch in any case (spec 03
// §3.5). It returns nil then, with a checkpoint taken. When the context ends it
// takes a checkpoint and returns the context's error.
func (r *Round) Work(ctx context.Context, over func() bool) error {
	for {
		batch := min(r.cfg.Batch, r.saved+r.cfg.CheckpointEvery-r.work.Leaves())
		r.pending = r.work.Advance(batch, r.pending)
		if err := ctx.Err(); err != nil {
			return errors.Join(err, r.Checkpoint())
		}
		if r.work.Leaves() >= uint64(r.cfg.SecurityParam) && over() {
			return r.Checkpoint()
		}
		if r.work.Leaves() >= r.saved+r.cfg.CheckpointEvery {
			if err := r.Checkpoint(); err != nil {
				return err
			}
		}
	}
}

// Checkpoint makes all work so far last.
func (r *Round) Checkpoint() error {
	if len(r.pending) > 0 {
		if _, err := r.layer.WriteAt(r.pending, int64(r.written)*nodeSize); err != nil {
			return err
		}
		if err := r.layer.Sync(); err != nil {
			return err
		}
		r.written += uint64(int64(len(r.pending)) / nodeSize)
		r.pending = r.pending[:0]
	}
	checkpoint := r.work.Checkpoint()
	sealed, err := checkpoint.Seal()
	if err != nil {
		return err
	}
	if err := replace(r.dir, workFile, sealed); err != nil {
		return err
	}
	r.saved = checkpoint.Leaves
	return nil
}

// Close closes the files; it takes no checkpoint.
func (r *Round) Close() error { return r.layer.Close() }

// Discard removes the round once its proof was delivered. The proof goes last,
// so that a crash in between does not begin the round anew, and the checkpoint
// first, because it counts on the layer.
func (r *Round) Discard() error {
	err := r.Close()
	for _, name := range []string{workFile, layerFile, proofFile} {
		err = errors.Join(err, r.dir.Remove(name), r.dir.Sync())
	}
	return err
}
