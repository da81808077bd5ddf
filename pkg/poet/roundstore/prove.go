package roundstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sync/errgroup"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/wire"
)

// readSize is how much of the layer file is read at once.
const readSize = 1 << 20

// Proof is the proof that was made already, perhaps before a crash.
func (r *Round) Proof() (wire.PoetProof, bool) {
	if r.proof == nil {
		return wire.PoetProof{}, false
	}
	return *r.proof, true
}

// Prove makes the proof of the work up to the last checkpoint, checks it and
// stores it; a proof that is stored already is returned as it is. Subtrees are
// recomputed on as many goroutines as workers.
func (r *Round) Prove(ctx context.Context, workers int) (wire.PoetProof, error) {
	if proof, ok := r.Proof(); ok {
		return proof, nil
	}
	if r.saved != r.work.Leaves() {
		return wire.PoetProof{}, fmt.Errorf("proving %d leaves, of which %d are saved", r.work.Leaves(), r.saved)
	}
	opening, err := poet.NewOpening(r.work.Checkpoint(), r.cfg.SecurityParam)
	if err != nil {
		return wire.PoetProof{}, err
	}
	if err := r.feed(ctx, opening); err != nil {
		return wire.PoetProof{}, err
	}
	if err := recompute(ctx, opening, workers); err != nil {
		return wire.PoetProof{}, err
	}
	proof := opening.Proof()
	if err := poet.VerifyProof(r.cfg.Statement, &proof, r.cfg.SecurityParam); err != nil {
		return wire.PoetProof{}, fmt.Errorf("own proof: %w", err)
	}
	if err := r.storeProof(proof); err != nil {
		return wire.PoetProof{}, err
	}
	return proof, nil
}

func (r *Round) feed(ctx context.Context, opening *poet.Opening) error {
	buf := make([]byte, readSize)
	end := int64(r.written) * nodeSize
	for at := int64(0); at < end; at += readSize {
		if err := ctx.Err(); err != nil {
			return err
		}
		part := buf[:min(readSize, end-at)]
		if n, err := r.layer.ReadAt(part, at); n < len(part) {
			return fmt.Errorf("%w: reading kept nodes: %w", ErrLost, err)
		}
		if err := opening.AddKept(part); err != nil {
			return err
		}
	}
	return nil
}

func recompute(ctx context.Context, opening *poet.Opening, workers int) error {
	subtrees, err := opening.Subtrees()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrLost, err)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, workers))
	for i := range subtrees {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return subtrees[i].Recompute()
		})
	}
	err = group.Wait()
	if errors.Is(err, poet.ErrKeptNodes) {
		return fmt.Errorf("%w: %w", ErrLost, err)
	}
	return err
}

func (r *Round) storeProof(proof wire.PoetProof) error {
	raw, err := codec.Encode(&proof)
	if err != nil {
		return err
	}
	sum := wire.Sum(raw)
	if err := replace(r.dir, proofFile, append(raw, sum[:]...)); err != nil {
		return err
	}
	r.proof = &proof
	return nil
}

// StoredProof is the proof in a directory, whatever else is left of the round;
// nil if there is none.
func StoredProof(dir FS) (*wire.PoetProof, error) { return loadProof(dir) }

func loadProof(dir FS) (*wire.PoetProof, error) {
	sealed, err := dir.ReadFile(proofFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	cut := len(sealed) - len(wire.Hash32{})
	var proof wire.PoetProof
	if cut < 0 || wire.Sum(sealed[:cut]) != [32]byte(sealed[cut:]) || codec.Decode(sealed[:cut], &proof) != nil {
		return nil, fmt.Errorf("%w: proof is damaged", ErrLost)
	}
	return &proof, nil
}
