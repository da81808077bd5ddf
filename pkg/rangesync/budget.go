package rangesync

import "errors"

// ErrBudget means that a stream has carried more than it may.
var ErrBudget = errors.New("stream exceeds its budget")

// Budget bounds what a stream carries in both directions together; a zero field
// is no bound (spec 08 §10.2).
type Budget struct {
	Bytes, Messages uint64

	bytes, messages uint64
}

// Spend counts a message of so many bytes.
func (b *Budget) Spend(bytes int) error {
	b.bytes += uint64(bytes)
	b.messages++
	if b.Bytes != 0 && b.bytes > b.Bytes || b.Messages != 0 && b.messages > b.Messages {
		return ErrBudget
	}
	return nil
}
