package poet

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"github.com/smeshery/smeshery/pkg/poet/internal/ripemd256"
)

// PowParams are what a registration's proof of work is computed for (spec 03 §8.3).
type PowParams struct {
	Challenge []byte
	// Difficulty is the number of leading zero bits.
	Difficulty uint32
}

// Equal compares challenge and difficulty.
func (p PowParams) Equal(other PowParams) bool {
	return p.Difficulty == other.Difficulty && bytes.Equal(p.Challenge, other.Challenge)
}

// PowHash is the hash of one nonce (spec 03 §8.3).
func PowHash(powChallenge, nodeID, challenge []byte, nonce uint64) [32]byte {
	w := newPowWork(powChallenge, nodeID, challenge)
	return w.hash(nonce)
}

// VerifyPow checks a nonce; its errors are RuleErrors.
func VerifyPow(params PowParams, nodeID, challenge []byte, nonce uint64) error {
	if len(nodeID) != 32 {
		return RulePowNode.because("%d bytes", len(nodeID))
	}
	hash := PowHash(params.Challenge, nodeID, challenge, nonce)
	if !LeadingZeroBits(hash[:], params.Difficulty) {
		return RulePowHash.because("fewer than %d", params.Difficulty)
	}
	return nil
}

// LeadingZeroBits tells whether data starts with that many zero bits.
func LeadingZeroBits(data []byte, count uint32) bool {
	if uint64(count) > uint64(len(data))*8 {
		return false
	}
	for _, b := range data {
		if count < 8 {
			return uint32(bits.LeadingZeros8(b)) >= count
		}
		if b != 0 {
			return false
		}
		count -= 8
	}
	return true
}

// SolvePow tries count nonces from the first one given and returns the first
// that solves. Whoever wants to be interrupted asks for few at a time.
func SolvePow(params PowParams, nodeID, challenge []byte, first, count uint64) (nonce uint64, found bool) {
	w := newPowWork(params.Challenge, nodeID, challenge)
	for i := range count {
		hash := w.hash(first + i)
		if LeadingZeroBits(hash[:], params.Difficulty) {
			return first + i, true
		}
	}
	return 0, false
}

// powWork holds the hash state of the whole blocks before the nonce.
type powWork struct {
	state ripemd256.State
	done  uint64
	rest  []byte
}

func newPowWork(parts ...[]byte) *powWork {
	msg := bytes.Join(parts, nil)
	w := &powWork{state: ripemd256.Initial()}
	for ; len(msg) >= ripemd256.BlockSize; msg = msg[ripemd256.BlockSize:] {
		w.state.Block((*[ripemd256.BlockSize]byte)(msg))
		w.done += ripemd256.BlockSize
	}
	w.rest = append(bytes.Clone(msg), make([]byte, 8)...)
	return w
}

func (w *powWork) hash(nonce uint64) [32]byte {
	binary.LittleEndian.PutUint64(w.rest[len(w.rest)-8:], nonce)
	return ripemd256.Finish(w.state, w.done, w.rest)
}
