package mempool

import "encoding/binary"

// twister is the 64-bit Mersenne Twister, which orders a block's transactions.
type twister struct {
	state [twisterSize]uint64
	next  int
}

// Parameters of MT19937-64.
const (
	twisterSize   = 312
	twisterMiddle = 156
	twisterMatrix = 0xB5026F5AA96619E9
	twisterUpper  = 0xFFFFFFFF80000000
	twisterLower  = 0x000000007FFFFFFF
)

// newTwister initialises the generator by the array of the seed's four
// little-endian words.
func newTwister(seed [32]byte) *twister {
	var key [4]uint64
	for i := range key {
		key[i] = binary.LittleEndian.Uint64(seed[8*i:])
	}
	t := &twister{next: twisterSize}
	s := &t.state
	s[0] = 19650218
	for i := 1; i < twisterSize; i++ {
		s[i] = 6364136223846793005*(s[i-1]^s[i-1]>>62) + uint64(i)
	}
	i, j := 1, 0
	for range twisterSize {
		s[i] = (s[i] ^ (s[i-1]^s[i-1]>>62)*3935559000370003845) + key[j] + uint64(j)
		i, j = advance(s, i), (j+1)%len(key)
	}
	for range twisterSize - 1 {
		s[i] = (s[i] ^ (s[i-1]^s[i-1]>>62)*2862933555777941757) - uint64(i)
		i = advance(s, i)
	}
	s[0] = 1 << 63
	return t
}

// advance moves an initialisation index on, and carries the last word over when
// it wraps.
func advance(s *[twisterSize]uint64, i int) int {
	if i++; i >= twisterSize {
		s[0] = s[twisterSize-1]
		return 1
	}
	return i
}

// uint64 is the next output.
func (t *twister) uint64() uint64 {
	if t.next == twisterSize {
		t.twist()
	}
	x := t.state[t.next]
	t.next++
	x ^= x >> 29 & 0x5555555555555555
	x ^= x << 17 & 0x71D67FFFEDA60000
	x ^= x << 37 & 0xFFF7EEE000000000
	return x ^ x>>43
}

func (t *twister) twist() {
	s := &t.state
	for i := range s {
		x := s[i]&twisterUpper | s[(i+1)%twisterSize]&twisterLower
		s[i] = s[(i+twisterMiddle)%twisterSize] ^ x>>1 ^ (x&1)*twisterMatrix
	}
	t.next = 0
}

// uint32 is bits 31 to 62 of the next output.
func (t *twister) uint32() uint32 { return uint32(t.uint64() >> 31) }

// below is a number smaller than m, without bias (spec 07 §15.3).
func (t *twister) below(m uint32) uint32 {
	product := uint64(t.uint32()) * uint64(m)
	if low := uint32(product); low < m {
		for threshold := -m % m; low < threshold; low = uint32(product) {
			product = uint64(t.uint32()) * uint64(m)
		}
	}
	return uint32(product >> 32)
}

// shuffle puts items into the order that the seed gives (spec 07 §15.3).
func shuffle[T any](seed [32]byte, items []T) {
	t := newTwister(seed)
	for i := len(items) - 1; i > 0; i-- {
		j := t.below(uint32(i + 1))
		items[i], items[j] = items[j], items[i]
	}
}
