package rest

import (
	"errors"
	"time"
)

// Operation is what a node asks a PoET for.
type Operation int

// Operations of a node (spec 03 §14.1).
const (
	OpInfo Operation = iota
	OpPowParams
	OpProof
	OpSubmit
)

// Final outcomes of a request (spec 03 §14.2).
var (
	ErrInvalidRequest = errors.New("poet: invalid request")
	ErrUnauthorized   = errors.New("poet: unauthorized")
	ErrUnrecognized   = errors.New("poet: unrecognized error")
	ErrGaveUp         = errors.New("poet: giving up")
	ErrMalformed      = errors.New("poet: malformed response")
)

// Retryable tells whether a response status is worth another try. A proof that
// is not there yet is a 404; a registration is never not there.
func (o Operation) Retryable(status int) bool {
	switch status {
	case 404:
		return o != OpSubmit
	case 429, 0:
		return true
	default:
		return status >= 500 && status != 501
	}
}

// Endless tells whether tries end only with the caller's patience.
func (o Operation) Endless() bool { return o == OpSubmit }

// Wait is how long to wait before a retry, counted from 1: delay to twice that
// as chance, in [0, 1), says, and for everything but registrations longer every time.
func (o Operation) Wait(retry int, delay time.Duration, chance float64) time.Duration {
	wait := delay + time.Duration(chance*float64(delay))
	if o.Endless() {
		return wait
	}
	return time.Duration(retry) * wait
}

// Outcome is the error that a final status means; nil for 200.
func Outcome(status int) error {
	switch status {
	case 200:
		return nil
	case 400:
		return ErrInvalidRequest
	case 401:
		return ErrUnauthorized
	default:
		return ErrUnrecognized
	}
}

// domainPoet is the signing domain of registrations (spec 03 §8.5).
const domainPoet = 4

// SigningPrefix is what an identity signs before its challenge, and tells the
// PoET to check with (spec 03 §8.5).
func SigningPrefix(genesisID []byte) []byte {
	return append(append([]byte(nil), genesisID...), domainPoet)
}
