package post

import "math/bits"

// blockLabels is how many labels scanGroups takes at once; blockWords the words
// of hits that it gives for each group.
const (
	blockLabels = 32
	blockWords  = 8
	keySize     = 176 // of an expanded key
)

// vectorScan scans by vector instructions. It is nil where there are none.
type vectorScan struct {
	keys  []byte   // expanded, of the groups
	lazy  []byte   // expanded, of the nonces
	masks []uint64 // blockWords a group
}

func newVectorScan(keys, lazyKeys [][16]byte) *vectorScan {
	if !hasVectorAES() {
		return nil
	}
	v := &vectorScan{masks: make([]uint64, len(keys)*blockWords)}
	box := aesBox()
	for _, key := range keys {
		v.keys = append(v.keys, expandKey(key, &box)...)
	}
	for _, key := range lazyKeys {
		v.lazy = append(v.lazy, expandKey(key, &box)...)
	}
	return v
}

func (v *vectorScan) clone() *vectorScan {
	if v == nil {
		return nil
	}
	return &vectorScan{keys: v.keys, lazy: v.lazy, masks: make([]uint64, len(v.masks))}
}

// lazyValue are the 56 bits of a nonce's own cipher.
func (v *vectorScan) lazyValue(label []byte, nonce int) uint64 {
	key := v.lazy[nonce*keySize : (nonce+1)*keySize]
	return encryptLow(&label[:LabelSize][0], &key[0]) & lsbMask
}

func (v *vectorScan) scan(s *Scanner, labels []byte, base uint64, hits []Hit) []Hit {
	const size = blockLabels * LabelSize
	for ; len(labels) >= size; labels = labels[size:] {
		scanGroups(&labels[0], &v.keys[0], uint64(len(s.groups)), &v.masks[0], uint64(s.limit.Msb()))
		hits = v.collect(s, labels[:size], base, hits)
		base += blockLabels
	}
	return s.scanPlain(labels, base, hits)
}

// collect goes through the masks in the order chunk, group, label, nonce. Words
// 2·c and 2·c+1 of a group are the labels of chunk c.
func (v *vectorScan) collect(s *Scanner, labels []byte, base uint64, hits []Hit) []Hit {
	for chunk := 0; chunk < blockWords; chunk += 2 {
		for g := range s.groups {
			words := v.masks[g*blockWords+chunk:][:2]
			if words[0]|words[1] == 0 {
				continue
			}
			for w, mask := range words {
				hits = s.judge(labels, (chunk+w)*4, g, mask, base, hits)
			}
		}
	}
	return hits
}

// judge decides about the bytes in a mask of four labels from first on: at most
// the difficulty's, which is good if less and up to the lazy cipher if equal.
func (s *Scanner) judge(labels []byte, first, g int, mask uint64, base uint64, hits []Hit) []Hit {
	for mask != 0 {
		bit := bits.TrailingZeros64(mask)
		l := first + bit/NoncesPerGroup
		label := labels[l*LabelSize:][:LabelSize]
		if s.limit.Msb() != 0 {
			hits = s.scanLabel(label, g, base+uint64(l), hits)
			mask &^= 0xffff << (bit &^ 15)
			continue
		}
		mask &= mask - 1
		j := bit % NoncesPerGroup
		if s.lazyGood(label, g*NoncesPerGroup+j) {
			hits = append(hits, s.hit(g, j, base+uint64(l)))
		}
	}
	return hits
}

// expandKey is the key schedule of AES-128: 11 round keys.
func expandKey(key [16]byte, box *[256]byte) []byte {
	out := make([]byte, keySize)
	copy(out, key[:])
	rcon := byte(1)
	for i := 16; i < len(out); i += 4 {
		word := [4]byte(out[i-4:])
		if i%16 == 0 {
			word = [4]byte{box[word[1]] ^ rcon, box[word[2]], box[word[3]], box[word[0]]}
			rcon = double(rcon)
		}
		for b := range word {
			out[i+b] = out[i-16+b] ^ word[b]
		}
	}
	return out
}

// double multiplies by x in AES's field.
func double(a byte) byte { return a<<1 ^ a>>7*0x1b }

// aesBox computes the substitution: p runs through the field by a generator, q
// through the inverses.
func aesBox() (box [256]byte) {
	p, q := byte(1), byte(1)
	for {
		p ^= double(p)
		q ^= q << 1
		q ^= q << 2
		q ^= q << 4
		q ^= q >> 7 * 0x09
		box[p] = q ^ bits.RotateLeft8(q, 1) ^ bits.RotateLeft8(q, 2) ^
			bits.RotateLeft8(q, 3) ^ bits.RotateLeft8(q, 4) ^ 0x63
		if p == 1 {
			break
		}
	}
	box[0] = 0x63
	return box
}
