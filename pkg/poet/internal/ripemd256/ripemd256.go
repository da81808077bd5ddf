package ripemd256

import (
	"encoding/binary"
	"math/bits"
)

const (
	// Size is the length of a digest in bytes.
	Size = 32
	// BlockSize is the length of a message block in bytes.
	BlockSize = 64
)

// State is the chaining value after some whole blocks; start from Initial.
type State [8]uint32

// Initial is the chaining value before the first block.
func Initial() State {
	return State{
		0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
		0x76543210, 0xfedcba98, 0x89abcdef, 0x01234567,
	}
}

// Sum is the hash of msg.
func Sum(msg []byte) [Size]byte { return Finish(Initial(), 0, msg) }

// Finish hashes rest after the blocks that gave state, done bytes in all; done
// is a multiple of BlockSize.
func Finish(state State, done uint64, rest []byte) (digest [Size]byte) {
	length := (done + uint64(len(rest))) * 8
	for len(rest) >= BlockSize {
		state.Block((*[BlockSize]byte)(rest))
		rest = rest[BlockSize:]
	}
	var last [BlockSize]byte
	n := copy(last[:], rest)
	last[n] = 0x80
	if n >= BlockSize-8 {
		state.Block(&last)
		last = [BlockSize]byte{}
	}
	binary.LittleEndian.PutUint64(last[BlockSize-8:], length)
	state.Block(&last)
	for i, word := range state {
		binary.LittleEndian.PutUint32(digest[4*i:], word)
	}
	return digest
}

// Block takes one message block into the state.
func (s *State) Block(block *[BlockSize]byte) {
	var x [16]uint32
	for i := range x {
		x[i] = binary.LittleEndian.Uint32(block[4*i:])
	}
	l, r := [4]uint32(s[:4]), [4]uint32(s[4:])
	for round := range 4 {
		for j := 16 * round; j < 16*round+16; j++ {
			step(&l, mix(round, &l)+x[leftWord[j]]+leftAdd[round], leftTurn[j])
			step(&r, mix(3-round, &r)+x[rightWord[j]]+rightAdd[round], rightTurn[j])
		}
		l[round], r[round] = r[round], l[round]
	}
	for i := range 4 {
		s[i] += l[i]
		s[4+i] += r[i]
	}
}

func step(v *[4]uint32, sum uint32, turn uint8) {
	t := bits.RotateLeft32(v[0]+sum, int(turn))
	v[0], v[3], v[2], v[1] = v[3], v[2], v[1], t
}

func mix(round int, v *[4]uint32) uint32 {
	b, c, d := v[1], v[2], v[3]
	switch round {
	case 0:
		return b ^ c ^ d
	case 1:
		return b&c | ^b&d
	case 2:
		return (b | ^c) ^ d
	default:
		return b&d | c&^d
	}
}
