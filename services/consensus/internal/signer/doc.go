// Package signer asks activation for the signatures and VRF proofs of this node's
// identities. It knows who holds which identity, and asks each holder once for
// all that a step needs.
//
// Failure: an item whose holder does not answer in time, or has lost the identity,
// comes back as bus.SignUnknown or bus.SignNotOurs. Asking again with the same
// bytes is harmless. A refusal is final: the slot holds other bytes.
package signer
