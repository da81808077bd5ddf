package post

import (
	"fmt"
	"io"
)

// Tally counts hits until a nonce has K2 of them (spec 02 §7.4).
type Tally struct {
	k2    int
	first uint32
	lists [][]uint64
}

// NewTally counts for the nonces of a scanner.
func NewTally(s *Scanner, k2 uint32) *Tally {
	start, end := s.Nonces()
	return &Tally{k2: int(k2), first: start, lists: make([][]uint64, end-start)}
}

// Add counts hits in order. As soon as a nonce has K2 indices it has won: won is
// true and the nonce and its indices are returned; the tally is then spent.
func (t *Tally) Add(hits []Hit) (nonce uint32, indices []uint64, won bool) {
	for _, hit := range hits {
		list := &t.lists[hit.Nonce-t.first]
		if *list = append(*list, hit.Index); len(*list) >= t.k2 {
			return hit.Nonce, *list, true
		}
	}
	return 0, nil, false
}

// ScanBatch is the bytes that are read at a time (spec 02 §7.4).
const ScanBatch = 1 << 20

// ScanReader scans size bytes of labels from one file, of which base is the
// first label, batch by batch. It ends early when a nonce wins. buf is scratch
// of at least ScanChunk bytes, as long as a batch shall be.
func ScanReader(
	src io.ReaderAt, size int64, base uint64, s *Scanner, t *Tally, buf []byte,
) (nonce uint32, indices []uint64, won bool, err error) {
	var hits []Hit
	for off := int64(0); off < size; {
		n := min(int64(len(buf)), size-off)
		read, err := src.ReadAt(buf[:n], off)
		if err != nil && (err != io.EOF || int64(read) < n) {
			return 0, nil, false, fmt.Errorf("read labels at byte %d: %w", off, err)
		}
		hits = s.Scan(buf[:n], base+uint64(off)/LabelSize, hits[:0])
		if nonce, indices, won = t.Add(hits); won {
			return nonce, indices, true, nil
		}
		off += n
	}
	return 0, nil, false, nil
}

// Finish packs a winner into a proof. pow is the solution of the nonce's group,
// numLabels the size of the data.
func Finish(nonce uint32, indices []uint64, pow, numLabels uint64) Proof {
	return Proof{Nonce: nonce, Indices: PackIndices(indices, IndexBits(numLabels)), Pow: pow}
}
