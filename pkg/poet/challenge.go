package poet

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// SecurityParam is how many leaves a proof opens (spec 03 §3.5).
const SecurityParam = 150

// OpenedLeaves are the leaves, ascending, that a proof with this root has to
// open (spec 03 §3.6). There are fewer than count only if the tree has fewer.
func OpenedLeaves(root []byte, leaves uint64, count int) []uint64 {
	if uint64(count) > leaves {
		all := make([]uint64, leaves)
		for i := range all {
			all[i] = uint64(i)
		}
		return all
	}
	opened := make([]uint64, 0, count)
	var buf [sha256.Size + 4]byte
	seed := append(append(buf[:0], root...), 0, 0, 0, 0)
	counter := seed[len(root):]
	for c := uint32(0); len(opened) < count; c++ {
		binary.BigEndian.PutUint32(counter, c)
		digest := sha256.Sum256(seed)
		leaf := binary.BigEndian.Uint64(digest[:]) % leaves
		if at, found := slices.BinarySearch(opened, leaf); !found {
			opened = slices.Insert(opened, at, leaf)
		}
	}
	return opened
}
