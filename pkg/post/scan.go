package post

import (
	"crypto/cipher"
	"math/bits"

	"github.com/smeshery/smeshery/pkg/wire"
)

// ScanChunk is the bytes that are scanned at a time: 8 labels. A shorter tail is
// left out, as other provers leave it out (spec 02 §7.4).
const ScanChunk = 8 * LabelSize

// Hit is a good label.
type Hit struct {
	Nonce uint32
	Index uint64
}

// Scanner looks for good labels of a range of nonces. It belongs to one
// goroutine at a time; Clone makes one for another.
type Scanner struct {
	first   uint32 // group
	limit   Difficulty
	groups  []cipher.Block
	nonces  uint32
	lazy    []cipher.Block // by nonce; empty if vector decides
	vector  *vectorScan    // nil where the processor lacks the instructions
	in, out [LabelSize]byte
}

// NewScanner prepares the nonces [first, first+16·len(pows)); pows are the
// solutions of their groups, in order. first must be a multiple of 16.
func NewScanner(challenge wire.Hash32, first uint32, pows []uint64, limit Difficulty) (*Scanner, error) {
	group := NonceGroup(first)
	if first%NoncesPerGroup != 0 || len(pows) == 0 || uint64(group)+uint64(len(pows)) > MaxNonceGroup+1 {
		return nil, ErrNonceRange
	}
	s := &Scanner{first: group, limit: limit, nonces: uint32(len(pows)) * NoncesPerGroup}
	var keys, lazyKeys [][16]byte
	for i, pow := range pows {
		keys = append(keys, GroupKey(challenge, group+uint32(i), pow))
		s.groups = append(s.groups, newAES(keys[i]))
		for j := range uint32(NoncesPerGroup) {
			lazyKeys = append(lazyKeys, LazyKey(challenge, first+uint32(i)*NoncesPerGroup+j, pow))
		}
	}
	if s.vector = newVectorScan(keys, lazyKeys); s.vector == nil {
		s.useBlocks(lazyKeys)
	}
	return s, nil
}

// useBlocks decides lazily by the standard library's cipher.
func (s *Scanner) useBlocks(lazyKeys [][16]byte) {
	s.vector, s.lazy = nil, make([]cipher.Block, len(lazyKeys))
	for i, key := range lazyKeys {
		s.lazy[i] = newAES(key)
	}
}

// Clone shares the keys and nothing else.
func (s *Scanner) Clone() *Scanner {
	c := *s
	c.vector = s.vector.clone()
	return &c
}

// Nonces is the range [start, end) that is scanned for.
func (s *Scanner) Nonces() (start, end uint32) {
	start = s.first * NoncesPerGroup
	return start, start + s.nonces
}

// Scan appends the hits in labels to hits, in the order chunk, group, label,
// nonce. base is the index of the first label.
func (s *Scanner) Scan(labels []byte, base uint64, hits []Hit) []Hit {
	if s.vector != nil {
		return s.vector.scan(s, labels, base, hits)
	}
	return s.scanPlain(labels, base, hits)
}

func (s *Scanner) scanPlain(labels []byte, base uint64, hits []Hit) []Hit {
	for ; len(labels) >= ScanChunk; labels = labels[ScanChunk:] {
		for g := range s.groups {
			for l := range uint64(8) {
				label := labels[l*LabelSize : (l+1)*LabelSize]
				hits = s.scanLabel(label, g, base+l, hits)
			}
		}
		base += 8
	}
	return hits
}

func (s *Scanner) scanLabel(label []byte, g int, index uint64, hits []Hit) []Hit {
	s.groups[g].Encrypt(s.out[:], label)
	var mask uint16
	for j, b := range s.out {
		if b <= s.limit.Msb() {
			mask |= 1 << j
		}
	}
	out := s.out
	for ; mask != 0; mask &= mask - 1 {
		j := bits.TrailingZeros16(mask)
		if out[j] < s.limit.Msb() || s.lazyGood(label, g*NoncesPerGroup+j) {
			hits = append(hits, s.hit(g, j, index))
		}
	}
	return hits
}

func (s *Scanner) hit(g, j int, index uint64) Hit {
	return Hit{Nonce: (s.first+uint32(g))*NoncesPerGroup + uint32(j), Index: index}
}

// lazyGood decides about a label whose group byte equals the difficulty's.
func (s *Scanner) lazyGood(label []byte, nonce int) bool {
	if s.vector != nil {
		return s.vector.lazyValue(label, nonce) < s.limit.Lsb()
	}
	copy(s.in[:], label)
	s.lazy[nonce].Encrypt(s.out[:], s.in[:])
	return lazyValue(s.out[:8]) < s.limit.Lsb()
}
