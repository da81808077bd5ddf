// Package vrf proves and verifies eligibility: ECVRF-EDWARDS25519-SHA512-ELL2 of
// RFC 9381 with the identity's ed25519 key (spec 01 §18).
//
// Consumers read the bytes of the proof, never the VRF's output; the functions
// of value.go are the readings that the protocol knows (spec 01 §18.6).
//
// Invariants:
//   - Verify is a pure function of key, message and proof; it may be cached and
//     run in parallel.
//   - A proof need not come from Prove to be valid: a prover may choose its nonce
//     (spec 01 §18.6). Whoever orders proofs has to live with that.
package vrf
