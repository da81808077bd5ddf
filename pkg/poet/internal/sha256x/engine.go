package sha256x

import (
	"crypto/sha256"
	"encoding/binary"
)

// Size is the length of a digest in bytes.
const Size = sha256.Size

// BlockSize is the length of a message block in bytes.
const BlockSize = sha256.BlockSize

// MaxPadding is the number of bytes that Pad adds at most.
const MaxPadding = BlockSize + 8

// Digest is a SHA-256 value.
type Digest = [Size]byte

// Engine computes hashes; the zero value is the portable one.
type Engine struct {
	native bool
}

// Best is the fastest engine of this processor.
func Best() Engine { return Engine{native: supported()} }

// Portable is the engine that runs everywhere.
func Portable() Engine { return Engine{} }

// Native reports whether the engine uses the processor's SHA instructions.
func (e Engine) Native() bool { return e.native }

// Chain replaces digest by its n-fold SHA-256.
func (e Engine) Chain(digest *Digest, n int) {
	if e.native {
		chainNative(digest, n)
		return
	}
	for range n {
		*digest = sha256.Sum256(digest[:])
	}
}

// ChainPair replaces each of two digests by its n-fold SHA-256. The chains are
// independent, which lets one hide the latency of the other.
func (e Engine) ChainPair(first, second *Digest, n int) {
	if e.native {
		chainPairNative(first, second, n)
		return
	}
	e.Chain(first, n)
	e.Chain(second, n)
}

// Pad appends the SHA-256 padding to msg, which then is a whole number of
// blocks. It does not allocate if msg has MaxPadding bytes of free capacity.
func Pad(msg []byte) []byte {
	bits := uint64(len(msg)) * 8
	zeros := (BlockSize - (len(msg)+9)%BlockSize) % BlockSize
	msg = append(msg, 0x80)
	var none [BlockSize]byte
	msg = append(msg, none[:zeros]...)
	return binary.BigEndian.AppendUint64(msg, bits)
}

// SumPadded stores the SHA-256 of the message that Pad made padded from; length
// is that message's length in bytes.
func (e Engine) SumPadded(digest *Digest, padded []byte, length int) {
	if e.native {
		blocksNative(digest, &padded[0], len(padded)/BlockSize)
		return
	}
	*digest = sha256.Sum256(padded[:length])
}
