package codec

import (
	"errors"
	"fmt"
)

// Error classes of spec 01 §2.8. All mean the same to a peer: malformed.
var (
	ErrEOF              = errors.New("input ends early")
	ErrTrailingBytes    = errors.New("trailing bytes")
	ErrTooManyElements  = errors.New("too many elements")
	ErrNestedTooDeep    = errors.New("nested too deep")
	ErrCompactRange     = errors.New("compact integer out of range")
	ErrCompactOverflow  = errors.New("compact integer overflows its type")
	ErrCompactWidth     = errors.New("compact integer has an impossible width")
	ErrUnknownProofType = errors.New("unknown proof type")
)

// trailing says where the message ended and how much followed.
type trailing struct{ at, extra int }

func (t *trailing) Error() string {
	return fmt.Sprintf("at byte %d: %d %v", t.at, t.extra, ErrTrailingBytes)
}

func (t *trailing) Unwrap() error { return ErrTrailingBytes }
