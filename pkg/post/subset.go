package post

import (
	"encoding/binary"

	"github.com/zeebo/blake3"

	"github.com/smeshery/smeshery/pkg/wire"
)

// subset picks ordinals of a proof by a seed: a shuffle of 0…k2-1 that is cut
// off where the caller stops (spec 02 §9.3).
func subset(seed []byte, id wire.NodeID, challenge wire.Hash32, k2, k3 uint32) []int {
	h := blake3.New()
	_, _ = h.Write(seed)
	_, _ = h.Write(id[:])
	_, _ = h.Write(challenge[:])
	return shuffle(h.Digest(), k2, min(k2, k3))
}

// shuffle yields the first count ordinals of the shuffle that the stream drives.
func shuffle(stream *blake3.Digest, k2, count uint32) []int {
	ordinals := make([]int, k2)
	for i := range ordinals {
		ordinals[i] = i
	}
	for t := range count {
		rem := k2 - t
		limit := uint32(65535)
		if rem <= 65535 {
			limit -= 65535 % rem
		}
		x := next16(stream)
		for x >= limit {
			x = next16(stream)
		}
		swap := t + x%rem
		ordinals[t], ordinals[swap] = ordinals[swap], ordinals[t]
	}
	return ordinals[:count]
}

func next16(stream *blake3.Digest) uint32 {
	var b [2]byte
	_, _ = stream.Read(b[:])
	return uint32(binary.LittleEndian.Uint16(b[:]))
}
