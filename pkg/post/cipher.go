package post

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"

	"github.com/zeebo/blake3"

	"github.com/smeshery/smeshery/pkg/wire"
)

// NonceGroup is the group of a nonce. Proofs of groups above MaxNonceGroup are
// invalid (spec 02 §7.3).
func NonceGroup(nonce uint32) uint32 { return nonce / NoncesPerGroup }

// NonceGroups is the range [from, to) of the groups that the nonces [start, end)
// touch.
func NonceGroups(start, end uint32) (from, to uint32) {
	return start / NoncesPerGroup, (end + NoncesPerGroup - 1) / NoncesPerGroup
}

// GroupKey is the AES-128 key of a nonce group. All 64 bits of the pow count
// (spec 02 §7.3).
func GroupKey(challenge wire.Hash32, group uint32, pow uint64) [16]byte {
	var in [44]byte
	groupKeyInput(&in, challenge, group, pow)
	sum := blake3.Sum256(in[:])
	return [16]byte(sum[:16])
}

// LazyKey is the AES-128 key of one nonce, for labels whose group byte equals
// the difficulty's (spec 02 §7.3).
func LazyKey(challenge wire.Hash32, nonce uint32, pow uint64) [16]byte {
	var in [48]byte
	groupKeyInput((*[44]byte)(in[:]), challenge, NonceGroup(nonce), pow)
	binary.LittleEndian.PutUint32(in[44:], nonce)
	sum := blake3.Sum256(in[:])
	return [16]byte(sum[:16])
}

func groupKeyInput(in *[44]byte, challenge wire.Hash32, group uint32, pow uint64) {
	copy(in[:], challenge[:])
	binary.LittleEndian.PutUint32(in[32:], group)
	binary.LittleEndian.PutUint64(in[36:], pow)
}

func newAES(key [16]byte) cipher.Block {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // 16 bytes are always a key
	}
	return block
}

// lazyValue are the 56 bits of a lazy cipher's output that count.
func lazyValue(out []byte) uint64 { return binary.LittleEndian.Uint64(out) & lsbMask }
