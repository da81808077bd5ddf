package wire

import (
	"bytes"
	"encoding/hex"

	"github.com/zeebo/blake3"
)

// Identifiers and small fixed values (spec 01 §4). All-zero means empty.
type (
	// Hash32 is a blake3 hash.
	Hash32 [32]byte
	// Hash20 is the first 20 bytes of a blake3 hash.
	Hash20 [20]byte
	// NodeID is an identity: its ed25519 public key. Also called smesher ID.
	NodeID [32]byte
	// ATXID names an activation.
	ATXID [32]byte
	// BallotID names a ballot.
	BallotID [20]byte
	// ProposalID names a proposal.
	ProposalID [20]byte
	// CompactProposalID is the short name that hare4 sends in preround.
	CompactProposalID [4]byte
	// BlockID names a block; zero is the empty block.
	BlockID [20]byte
	// TransactionID is the hash of a raw transaction.
	TransactionID [32]byte
	// PoetProofRef names a PoET proof.
	PoetProofRef [32]byte
	// Address is an account: 4 zero bytes and 20 bytes of hash (spec 01 §21).
	Address [24]byte
	// Beacon is an epoch's common randomness.
	Beacon [4]byte
	// EdSignature is R then S.
	EdSignature [64]byte
	// VrfSignature is a VRF proof, not its output (spec 01 §18.3).
	VrfSignature [80]byte
)

// Sum is the protocol's only consensus hash over the concatenation of chunks.
func Sum(chunks ...[]byte) Hash32 {
	if len(chunks) == 1 {
		return blake3.Sum256(chunks[0])
	}
	h := blake3.New()
	for _, chunk := range chunks {
		_, _ = h.Write(chunk)
	}
	var out Hash32
	h.Sum(out[:0])
	return out
}

// Truncate keeps the first 20 bytes.
func (h Hash32) Truncate() Hash20 { return Hash20(h[:20]) }

// Pad32 appends 12 zero bytes: the form in which 20-byte ids are hashed and
// requested (spec 01 §3.2).
func Pad32[T ~[20]byte](id T) Hash32 {
	var out Hash32
	b := [20]byte(id)
	copy(out[:], b[:])
	return out
}

// RightAligned32 keeps the last 32 bytes of a longer input and pads a shorter
// one on the left (spec 01 §3.2).
func RightAligned32(b []byte) (out Hash32) {
	if len(b) > len(out) {
		b = b[len(b)-len(out):]
	}
	copy(out[len(out)-len(b):], b)
	return out
}

// RightAligned20 is RightAligned32 for 20-byte hashes.
func RightAligned20(b []byte) (out Hash20) {
	if len(b) > len(out) {
		b = b[len(b)-len(out):]
	}
	copy(out[len(out)-len(b):], b)
	return out
}

// LeftAligned32 cuts a longer input on the right and pads a shorter one on
// the right: how bytes become an ATXID, NodeID or PoetProofRef (spec 01 §3.2).
func LeftAligned32(b []byte) (out [32]byte) {
	copy(out[:], b)
	return out
}

// Compare orders identifiers bytewise.
func Compare[T ~[32]byte](a, b T) int {
	x, y := [32]byte(a), [32]byte(b)
	return bytes.Compare(x[:], y[:])
}

// Compare20 orders 20-byte identifiers bytewise.
func Compare20[T ~[20]byte](a, b T) int {
	x, y := [20]byte(a), [20]byte(b)
	return bytes.Compare(x[:], y[:])
}

// IsZero tells whether an identifier is empty.
func IsZero[T ~[32]byte | ~[24]byte | ~[20]byte | ~[4]byte](id T) bool { return id == *new(T) }

func (h Hash32) String() string             { return hex.EncodeToString(h[:]) }
func (h Hash20) String() string             { return hex.EncodeToString(h[:]) }
func (id NodeID) String() string            { return hex.EncodeToString(id[:]) }
func (id ATXID) String() string             { return hex.EncodeToString(id[:]) }
func (id BallotID) String() string          { return hex.EncodeToString(id[:]) }
func (id ProposalID) String() string        { return hex.EncodeToString(id[:]) }
func (id BlockID) String() string           { return hex.EncodeToString(id[:]) }
func (id TransactionID) String() string     { return hex.EncodeToString(id[:]) }
func (r PoetProofRef) String() string       { return hex.EncodeToString(r[:]) }
func (a Address) String() string            { return hex.EncodeToString(a[:]) }
func (b Beacon) String() string             { return hex.EncodeToString(b[:]) }
func (s EdSignature) String() string        { return hex.EncodeToString(s[:]) }
func (s VrfSignature) String() string       { return hex.EncodeToString(s[:]) }
func (id CompactProposalID) String() string { return hex.EncodeToString(id[:]) }
