//go:build !amd64

package post

func mixLanes(states []mixState, scratch []uint32, n uint64) { mixPlain(states, scratch, n) }

// preferredLanes is how many labels a batch should bring at once.
func preferredLanes() int { return 1 }
