package post

import "encoding/binary"

// Keccak-512 as it was before SHA-3: rate 72 bytes, digest 64 bytes, padding
// that begins with 0x01 (spec 02 §2.2).
const (
	keccakRate   = 72
	keccakDigest = 64
)

// sponge absorbs bytes and gives one digest.
type sponge struct {
	state [25]uint64
	buf   [keccakRate]byte
	n     int // bytes in buf
}

func (s *sponge) write(p []byte) {
	for len(p) > 0 {
		k := copy(s.buf[s.n:], p)
		s.n, p = s.n+k, p[k:]
		if s.n == keccakRate {
			s.absorb()
		}
	}
}

func (s *sponge) absorb() {
	for i := range keccakRate / 8 {
		s.state[i] ^= binary.LittleEndian.Uint64(s.buf[8*i:])
	}
	keccakF(&s.state)
	s.n = 0
}

// sum ends the sponge; it must not be written to afterwards.
func (s *sponge) sum(out *[keccakDigest]byte) {
	clear(s.buf[s.n:])
	s.buf[s.n] = 0x01
	s.buf[keccakRate-1] |= 0x80
	s.absorb()
	for i := range keccakDigest / 8 {
		binary.LittleEndian.PutUint64(out[8*i:], s.state[i])
	}
}

// keyedHash is HMAC over Keccak-512 with the key already absorbed.
type keyedHash struct {
	inner, outer sponge
}

func (h *keyedHash) setKey(key []byte) {
	var block, pad [keccakRate]byte
	if len(key) > keccakRate {
		var s sponge
		var digest [keccakDigest]byte
		s.write(key)
		s.sum(&digest)
		copy(block[:], digest[:])
	} else {
		copy(block[:], key)
	}
	h.inner, h.outer = sponge{}, sponge{}
	for i, b := range block {
		pad[i] = b ^ 0x36
	}
	h.inner.write(pad[:])
	for i, b := range block {
		pad[i] = b ^ 0x5c
	}
	h.outer.write(pad[:])
}

// derive fills out with PBKDF2 of one iteration.
func (h *keyedHash) derive(salt, out []byte) {
	var counter [4]byte
	var digest [keccakDigest]byte
	for block := uint32(1); len(out) > 0; block++ {
		inner, outer := h.inner, h.outer
		binary.BigEndian.PutUint32(counter[:], block)
		inner.write(salt)
		inner.write(counter[:])
		inner.sum(&digest)
		outer.write(digest[:])
		outer.sum(&digest)
		out = out[copy(out, digest[:]):]
	}
}
