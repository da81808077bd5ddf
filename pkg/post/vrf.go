package post

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"github.com/smeshery/smeshery/pkg/wire"
)

// VRFDifficulty is the value that the label of a VRF nonce must stay below, big
// endian, for data of numLabels labels: on average 8 labels do (spec 02 §2.3).
// Eight or fewer labels break RuleVRFNumLabels, for the value would not fit.
// The network reads the number as a signed one and forgets the sign (spec 04
// §12.3).
func VRFDifficulty(numLabels uint64) ([32]byte, error) {
	var out [32]byte
	if numLabels>>63 == 1 {
		numLabels = -numLabels
	}
	if numLabels <= 8 {
		return out, broken(RuleVRFNumLabels, "%d", numLabels)
	}
	var words [4]uint64 // of 2^256 / numLabels, most significant first
	rem := uint64(1)
	for i := range words {
		words[i], rem = bits.Div64(rem, 0, numLabels)
	}
	for i := range words {
		w := words[i] << 3
		if i < 3 {
			w |= words[i+1] >> 61
		}
		binary.BigEndian.PutUint64(out[8*i:], w)
	}
	return out, nil
}

// NonceSearch keeps the smallest label below a difficulty; of equal ones the one
// that was offered first (spec 02 §2.3). A nil search ignores offers.
type NonceSearch struct {
	Limit [32]byte // difficulty, then the label found
	Nonce uint64
	Found bool
}

// Offer shows a label to the search.
func (s *NonceSearch) Offer(index uint64, label *FullLabel) {
	if s == nil || bytes.Compare(label[:], s.Limit[:]) >= 0 {
		return
	}
	s.Limit, s.Nonce, s.Found = *label, index, true
}

// NonceClaim is a VRF nonce and the data that it is said to belong to.
type NonceClaim struct {
	NodeID        wire.NodeID
	CommitmentATX wire.ATXID
	NumUnits      uint32
	LabelsPerUnit uint64
	Nonce         uint64 // may lie past the data
}

// difficulty measures the claim by a product of 64 bits that wraps, as the
// network does (spec 04 §12.3).
func (c *NonceClaim) difficulty() ([32]byte, error) {
	return VRFDifficulty(uint64(c.NumUnits) * c.LabelsPerUnit)
}

// CheckNonce verifies a VRF nonce: its label is below the difficulty. It costs
// one label (spec 02 §9.5).
func (l *Labeler) CheckNonce(c *NonceClaim) error {
	limit, err := c.difficulty()
	if err != nil {
		return err
	}
	label := l.Label(Place{Commitment: Commitment(c.NodeID, c.CommitmentATX), Index: c.Nonce})
	if bytes.Compare(label[:], limit[:]) >= 0 {
		return broken(RuleVRFNonce, "label %d is %x, difficulty %x", c.Nonce, label, limit)
	}
	return nil
}
