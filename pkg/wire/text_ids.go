package wire

import (
	"encoding/hex"
	"fmt"
)

// Identifiers are lower-case hex where they occur in JSON of our own: events,
// exported records, reports. The protocol's JSON documents have text.go instead.

func unhex(dst, text []byte) error {
	if len(text) != hex.EncodedLen(len(dst)) {
		return fmt.Errorf("%w: %d digits where %d are due", ErrText, len(text), hex.EncodedLen(len(dst)))
	}
	if _, err := hex.Decode(dst, text); err != nil {
		return fmt.Errorf("%w: %w", ErrText, err)
	}
	return nil
}

// MarshalText is lower-case hex.
func (id NodeID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, id[:]), nil }

// UnmarshalText reads hex of exactly the id's length.
func (id *NodeID) UnmarshalText(text []byte) error { return unhex(id[:], text) }

// MarshalText is lower-case hex.
func (id ATXID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, id[:]), nil }

// UnmarshalText reads hex of exactly the id's length.
func (id *ATXID) UnmarshalText(text []byte) error { return unhex(id[:], text) }

// MarshalText is lower-case hex.
func (id BallotID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, id[:]), nil }

// UnmarshalText reads hex of exactly the id's length.
func (id *BallotID) UnmarshalText(text []byte) error { return unhex(id[:], text) }

// MarshalText is lower-case hex.
func (id ProposalID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, id[:]), nil }

// UnmarshalText reads hex of exactly the id's length.
func (id *ProposalID) UnmarshalText(text []byte) error { return unhex(id[:], text) }

// MarshalText is lower-case hex.
func (id BlockID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, id[:]), nil }

// UnmarshalText reads hex of exactly the id's length.
func (id *BlockID) UnmarshalText(text []byte) error { return unhex(id[:], text) }

// MarshalText is lower-case hex.
func (id TransactionID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, id[:]), nil }

// UnmarshalText reads hex of exactly the id's length.
func (id *TransactionID) UnmarshalText(text []byte) error { return unhex(id[:], text) }

// MarshalText is lower-case hex.
func (h Hash32) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

// UnmarshalText reads hex of exactly the id's length.
func (h *Hash32) UnmarshalText(text []byte) error { return unhex(h[:], text) }

// MarshalText is lower-case hex.
func (b Beacon) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, b[:]), nil }

// UnmarshalText reads hex of exactly the id's length.
func (b *Beacon) UnmarshalText(text []byte) error { return unhex(b[:], text) }
