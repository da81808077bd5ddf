package post

// maxLanes is the most labels that a kernel mixes side by side.
const maxLanes = 8

// mixState is one label's state between the two derivations: two blocks of 16
// words (r = 1).
type mixState [32]uint32

// laneWords is the distance in words between the scratch of two lanes: N copies
// of the state and three cache lines, so that lanes which run in step do not meet
// in the same cache set.
func laneWords(n uint64) int { return int(32*n + 48) }

// mixPlain mixes the lanes one after another in portable Go. It is what the
// vector kernels are tested against.
func mixPlain(states []mixState, scratch []uint32, n uint64) {
	for l := range states { // one after another in the same scratch
		mixOne(&states[l], scratch[:32*n], n)
	}
}

// mixOne is romix for r = 1: no shuffle of halves, no spare copy.
func mixOne(x *mixState, v []uint32, n uint64) {
	lo, hi := (*[16]uint32)(x[:16]), (*[16]uint32)(x[16:])
	for k := range n {
		*(*mixState)(v[32*k:]) = *x
		mixBlocks(lo, hi)
	}
	for range n {
		j := uint64(hi[0]) & (n - 1)
		past := (*mixState)(v[32*j:])
		for i := range x {
			x[i] ^= past[i]
		}
		mixBlocks(lo, hi)
	}
}

func mixBlocks(lo, hi *[16]uint32) {
	for i := range lo {
		lo[i] ^= hi[i]
	}
	chacha8(lo)
	for i := range hi {
		hi[i] ^= lo[i]
	}
	chacha8(hi)
}
