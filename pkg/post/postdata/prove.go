package postdata

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/post/postdata/nice"
	"github.com/smeshery/smeshery/pkg/wire"
)

// PowSolver finds the proofs of work of a pass; a randomx.Hasher does, or a
// remote service.
type PowSolver interface {
	Solve(ctx context.Context, task post.PowTask) (pow uint64, err error)
}

// ProveConfig says how to prove (spec 02 §7.1).
type ProveConfig struct {
	Params  post.Params // K1, K2, PowDifficulty; LabelsPerUnit must be the data's
	Nonces  uint32      // of a pass; a multiple of 16
	Threads int         // at least 1
	Nice    int         // how far the threads yield to others (package nice)
	Solver  PowSolver
	// Pass, if set, is told the nonces [start, end) of a pass before its pows are
	// solved; Scanned the bytes of every batch that is done. They must not block.
	Pass    func(start, end uint32)
	Scanned func(bytes uint64)
}

// Prove looks for a proof of the directory's data, pass by pass, until a nonce has
// K2 labels (spec 02 §7). It ends with ErrNoProof when the 4096 nonces are used
// up, with an *AlteredError when a file is missing or has another size than it
// should, and with ErrCanceled when ctx ends.
func Prove(ctx context.Context, dir string, challenge wire.Hash32, cfg ProveConfig) (*post.Proof, *post.Metadata, error) {
	if cfg.Nonces == 0 || cfg.Nonces%post.NoncesPerGroup != 0 || cfg.Nonces > post.NumNonces {
		return nil, nil, post.ErrNonceRange
	}
	meta, err := LoadMetadata(dir)
	if err != nil {
		return nil, nil, err
	}
	p := &prover{cfg: cfg, dir: dir, challenge: challenge, meta: meta}
	if err := p.prepare(); err != nil {
		return nil, nil, err
	}
	for first := uint32(0); first < post.NumNonces; first += cfg.Nonces {
		proof, err := p.pass(ctx, first, min(first+cfg.Nonces, post.NumNonces))
		if err != nil || proof != nil {
			return proof, meta, err
		}
	}
	return nil, nil, ErrNoProof
}

type prover struct {
	cfg       ProveConfig
	dir       string
	challenge wire.Hash32
	meta      *post.Metadata
	layout    post.Layout
	limit     post.Difficulty
	scaled    [32]byte
}

// prepare derives the difficulties and looks at the files, before hours are spent.
func (p *prover) prepare() (err error) {
	var ok bool
	if p.layout, ok = post.NewLayout(p.meta.LabelsPerUnit, p.meta.NumUnits, p.meta.MaxFileSize); !ok {
		return fmt.Errorf("%w: sizes overflow", post.ErrMetadata)
	}
	if want := p.cfg.Params.LabelsPerUnit; want != p.meta.LabelsPerUnit {
		return &MismatchError{
			Param: "LabelsPerUnit", Have: fmt.Sprint(p.meta.LabelsPerUnit), Want: fmt.Sprint(want),
		}
	}
	if p.limit, err = post.ProvingDifficulty(p.cfg.Params.K1, p.layout.Labels); err != nil {
		return err
	}
	if p.scaled, err = post.ScalePowDifficulty(p.cfg.Params.PowDifficulty, p.meta.NumUnits); err != nil {
		return err
	}
	return p.checkSizes()
}

func (p *prover) checkSizes() error {
	files, err := list(p.dir)
	if err != nil {
		return err
	}
	for k := range p.layout.Files {
		want := p.layout.InFile(k) * post.LabelSize
		switch {
		case k >= uint64(len(files)) || files[k].number != k:
			return &AlteredError{File: FileName(k), Reason: "file is missing"}
		case files[k].size != want:
			return &AlteredError{
				File: files[k].name, Offset: min(files[k].size, want),
				Reason: fmt.Sprintf("size is %d, should be %d", files[k].size, want),
			}
		}
	}
	return nil
}

// pass solves the pows of the nonces [first, end) and scans all data once.
func (p *prover) pass(ctx context.Context, first, end uint32) (*post.Proof, error) {
	if p.cfg.Pass != nil {
		p.cfg.Pass(first, end)
	}
	pows, err := p.solve(ctx, first, end)
	if err != nil {
		return nil, err
	}
	scanner, err := post.NewScanner(p.challenge, first, pows, p.limit)
	if err != nil {
		return nil, err
	}
	scan := &scan{prover: p, tally: post.NewTally(scanner, p.cfg.Params.K2)}
	scan.ctx, scan.stop = context.WithCancelCause(ctx)
	defer scan.stop(nil)
	batches := make(chan batch, p.cfg.Threads)
	var wg sync.WaitGroup
	for range max(p.cfg.Threads, 1) {
		worker := scanner.Clone()
		wg.Go(func() { scan.work(worker, batches) })
	}
	scan.feed(batches)
	wg.Wait()
	switch {
	case scan.won:
		pow := pows[(scan.nonce-first)/post.NoncesPerGroup]
		proof := post.Finish(scan.nonce, scan.indices, pow, p.layout.Labels)
		return &proof, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%w: %w", ErrCanceled, context.Cause(ctx))
	default:
		return nil, context.Cause(scan.ctx)
	}
}

func (p *prover) solve(ctx context.Context, first, end uint32) ([]uint64, error) {
	var pows []uint64
	for group := post.NonceGroup(first); group < post.NonceGroup(end); group++ {
		pow, err := p.cfg.Solver.Solve(ctx, post.PowTask{
			Group: uint8(group), Challenge: [8]byte(p.challenge[:8]), NodeID: p.meta.NodeID, Difficulty: p.scaled,
		})
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%w: %w", ErrCanceled, context.Cause(ctx))
		}
		if err != nil {
			return nil, fmt.Errorf("solve pow of nonce group %d: %w", group, err)
		}
		pows = append(pows, pow)
	}
	return pows, nil
}

// batch is a piece of a file that is read and scanned at once.
type batch struct {
	file *os.File
	off  int64
	size int
	base uint64 // index of the first label
	done func()
}

// scan is one run over all data: workers read and scan, hits are counted under a
// lock, which is rarely taken.
type scan struct {
	*prover
	ctx     context.Context //nolint:containedctx // lives as long as the pass
	stop    context.CancelCauseFunc
	mu      sync.Mutex
	tally   *post.Tally
	won     bool
	nonce   uint32
	indices []uint64
}

// feed hands out the batches of all files in order.
func (s *scan) feed(batches chan<- batch) {
	defer close(batches)
	for k := range s.layout.Files {
		f, err := os.Open(filepath.Join(s.dir, FileName(k)))
		if err != nil {
			s.stop(fmt.Errorf("prove: %w", err))
			return
		}
		var open sync.WaitGroup
		size := int64(s.layout.InFile(k) * post.LabelSize)
		for off := int64(0); off < size && s.ctx.Err() == nil; off += post.ScanBatch {
			open.Add(1)
			b := batch{
				file: f, off: off, size: int(min(post.ScanBatch, size-off)),
				base: s.layout.FirstOf(k) + uint64(off)/post.LabelSize, done: open.Done,
			}
			select {
			case batches <- b:
			case <-s.ctx.Done():
				open.Done()
			}
		}
		go func() { // workers still read while the next file is being handed out
			open.Wait()
			_ = f.Close()
		}()
	}
}

// work scans batches until there are none; after the end of the pass it only
// lets go of them.
func (s *scan) work(scanner *post.Scanner, batches <-chan batch) {
	nice.Thread(s.cfg.Nice)
	buf := make([]byte, post.ScanBatch)
	var hits []post.Hit
	for b := range batches {
		if s.ctx.Err() != nil {
			b.done()
			continue
		}
		n, err := b.file.ReadAt(buf[:b.size], b.off)
		b.done()
		if n < b.size {
			s.stop(fmt.Errorf("prove: %w", errors.Join(err, &AlteredError{
				File: filepath.Base(b.file.Name()), Offset: uint64(b.off) + uint64(n), Reason: "file ends early",
			})))
			continue
		}
		hits = scanner.Scan(buf[:b.size], b.base, hits[:0])
		s.count(hits)
		if s.cfg.Scanned != nil {
			s.cfg.Scanned(uint64(b.size))
		}
	}
}

func (s *scan) count(hits []post.Hit) {
	if len(hits) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.won {
		return
	}
	if s.nonce, s.indices, s.won = s.tally.Add(hits); s.won {
		s.stop(nil)
	}
}
