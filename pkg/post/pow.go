package post

import (
	"bytes"
	"encoding/binary"

	"github.com/smeshery/smeshery/pkg/wire"
)

// PowKey is the RandomX key of every network (spec 02 §7.5).
const PowKey = "spacemesh-randomx-cache-key"

// PowHasher is RandomX under PowKey. It must be safe for concurrent use. Its
// error means that we could not hash, never that a proof is wrong.
type PowHasher interface {
	Hash(input []byte) ([32]byte, error)
}

// PowInput is what RandomX hashes for a nonce group. Only the low 56 bits of
// pow and the low 8 of group enter it (spec 02 §7.5).
func PowInput(pow uint64, group uint32, challenge [8]byte, id wire.NodeID) (in [48]byte) {
	binary.LittleEndian.PutUint64(in[:], pow)
	in[7] = byte(group)
	copy(in[8:], challenge[:])
	copy(in[16:], id[:])
	return in
}

// PowMeets tells whether a RandomX hash is below the scaled difficulty.
func PowMeets(hash, scaled [32]byte) bool { return bytes.Compare(hash[:], scaled[:]) < 0 }

// MaxPow bounds what a prover may offer: solutions have 56 bits. Verification
// accepts more (spec 02 §7.5).
const MaxPow = 1<<56 - 1

// PowTask is one nonce group's proof of work: find pow ≤ MaxPow whose hash is
// below Difficulty, which is already scaled by the number of units.
type PowTask struct {
	Group      uint8
	Challenge  [8]byte
	NodeID     wire.NodeID
	Difficulty [32]byte
}

// Check tells whether pow solves the task.
func (t *PowTask) Check(h PowHasher, pow uint64) (bool, error) {
	in := PowInput(pow, uint32(t.Group), t.Challenge, t.NodeID)
	hash, err := h.Hash(in[:])
	return err == nil && PowMeets(hash, t.Difficulty), err
}
