//go:build !amd64

package post

// preferredLanes is how many labels a batch should bring at once.
func preferredLanes() int { return 1 }

// kernelLanes is how many lanes are mixed, and need scratch, for n labels.
func kernelLanes(n int) int { return n }

func mixLanes(states *[maxLanes]mixState, lanes int, scratch []uint32, n uint64) {
	mixPlain(states[:lanes], scratch, n)
}
