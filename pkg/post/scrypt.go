package post

import (
	"encoding/binary"
	"math/bits"
)

// The construction is scrypt's with two parts exchanged: ChaCha with 8 rounds
// for Salsa20/8 and Keccak-512 for SHA-256 (spec 02 §2.2). Standard scrypt gives
// other bytes.

// DeriveKey fills out with the scrypt of any power-of-two cost, R and P. Labels
// of networks have R = P = 1 and come from a Labeler, much faster.
func DeriveKey(password, salt []byte, cost Scrypt, out []byte) error {
	if !cost.Valid() || cost.N > maxScryptMemory/128/cost.R || cost.P > maxScryptMemory/128/cost.R {
		return ErrScryptParams
	}
	var prf keyedHash
	prf.setKey(password)
	chunk := int(128 * cost.R)
	state := make([]byte, chunk*int(cost.P))
	prf.derive(salt, state)
	words := make([]uint32, chunk/4)
	scratch := make([]uint32, chunk/4*int(cost.N))
	spare := make([]uint32, chunk/4)
	for p := range int(cost.P) {
		part := state[p*chunk : (p+1)*chunk]
		for i := range words {
			words[i] = binary.LittleEndian.Uint32(part[4*i:])
		}
		romix(words, scratch, spare, cost.N)
		for i, w := range words {
			binary.LittleEndian.PutUint32(part[4*i:], w)
		}
	}
	prf.derive(state, out)
	return nil
}

// romix is the memory-hard part over x, 32·r words. v holds N copies of x.
func romix(x, v, spare []uint32, n uint64) {
	size := len(x)
	for k := range int(n) {
		copy(v[k*size:], x)
		blockMix(x, spare)
	}
	for range n {
		j := int(uint64(x[size-16]) & (n - 1))
		for i, w := range v[j*size : (j+1)*size] {
			x[i] ^= w
		}
		blockMix(x, spare)
	}
}

// blockMix mixes 2·r blocks of 16 words; even outputs go to the first half.
func blockMix(x, spare []uint32) {
	blocks := len(x) / 16
	last := [16]uint32(x[len(x)-16:])
	for b := range blocks {
		for i := range last {
			last[i] ^= x[16*b+i]
		}
		chacha8(&last)
		to := b / 2
		if b%2 == 1 {
			to += blocks / 2
		}
		copy(spare[16*to:], last[:])
	}
	copy(x, spare)
}

// chacha8 adds 8 rounds of ChaCha to the block. It has no key and no counter:
// all 16 words are input.
func chacha8(b *[16]uint32) {
	x0, x1, x2, x3 := b[0], b[1], b[2], b[3]
	x4, x5, x6, x7 := b[4], b[5], b[6], b[7]
	x8, x9, x10, x11 := b[8], b[9], b[10], b[11]
	x12, x13, x14, x15 := b[12], b[13], b[14], b[15]
	for range 4 {
		x0, x4, x8, x12 = quarterRound(x0, x4, x8, x12)
		x1, x5, x9, x13 = quarterRound(x1, x5, x9, x13)
		x2, x6, x10, x14 = quarterRound(x2, x6, x10, x14)
		x3, x7, x11, x15 = quarterRound(x3, x7, x11, x15)
		x0, x5, x10, x15 = quarterRound(x0, x5, x10, x15)
		x1, x6, x11, x12 = quarterRound(x1, x6, x11, x12)
		x2, x7, x8, x13 = quarterRound(x2, x7, x8, x13)
		x3, x4, x9, x14 = quarterRound(x3, x4, x9, x14)
	}
	b[0], b[1], b[2], b[3] = b[0]+x0, b[1]+x1, b[2]+x2, b[3]+x3
	b[4], b[5], b[6], b[7] = b[4]+x4, b[5]+x5, b[6]+x6, b[7]+x7
	b[8], b[9], b[10], b[11] = b[8]+x8, b[9]+x9, b[10]+x10, b[11]+x11
	b[12], b[13], b[14], b[15] = b[12]+x12, b[13]+x13, b[14]+x14, b[15]+x15
}

func quarterRound(a, b, c, d uint32) (uint32, uint32, uint32, uint32) {
	a += b
	d = bits.RotateLeft32(d^a, 16)
	c += d
	b = bits.RotateLeft32(b^c, 12)
	a += b
	d = bits.RotateLeft32(d^a, 8)
	c += d
	b = bits.RotateLeft32(b^c, 7)
	return a, b, c, d
}
