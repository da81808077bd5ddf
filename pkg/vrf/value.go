package vrf

import (
	"encoding/binary"

	"github.com/smeshery/smeshery/pkg/wire"
)

// The readings of a proof as randomness (spec 01 §18.6).

// LSB is the coin bit: bit 0 of byte 0.
func LSB(p wire.VrfSignature) uint8 { return p[0] & 1 }

// Prefix64 is bytes 0–7, little-endian: the binary fraction of hare eligibility
// and the source of a slot's layer.
func Prefix64(p wire.VrfSignature) uint64 { return binary.LittleEndian.Uint64(p[:]) }

// Head is bytes 0–3: a beacon proposal, or a compact proposal ID.
func Head(p wire.VrfSignature) [4]byte { return [4]byte(p[:]) }

// EligibleLayer is the layer of epoch in which the slot of proof p may be used.
func EligibleLayer(p wire.VrfSignature, epoch wire.EpochID, layersPerEpoch uint32) wire.LayerID {
	return epoch.FirstLayer(layersPerEpoch) + wire.LayerID(Prefix64(p)%uint64(layersPerEpoch))
}

// Compare orders proofs as 640-bit little-endian integers.
func Compare(a, b wire.VrfSignature) int {
	for i := len(a) - 8; i >= 0; i -= 8 {
		x, y := binary.LittleEndian.Uint64(a[i:]), binary.LittleEndian.Uint64(b[i:])
		if x != y {
			if x < y {
				return -1
			}
			return 1
		}
	}
	return 0
}
