// Package signing is how identities sign and how everybody verifies (spec 01
// §17).
//
// A signature covers network prefix || domain byte || body. Verifier holds the
// prefix and checks single signatures; Batch checks many at once with the same
// answers. The accepted set of signatures is consensus critical: cofactored
// equation, canonical encodings only, no small-order public key, small-order R
// allowed (spec 01 §17.2).
//
// Signing goes through typed requests only. Each request says which bytes it
// stands for and which slot it takes: an identity that signs two different
// bodies for one slot equivocates and is cancelled by the network, so whoever
// holds keys records slot and body before it signs. A kind of request that is
// not in the slot table cannot be signed.
//
// Invariants:
//   - Verify and Batch agree on every input.
//   - There is no way to sign bytes of the caller's choice with an identity's
//     key; transactions are signed with WalletKey, another type.
//   - Everything here is a pure function; the store behind the slots belongs to
//     the service that owns the keys.
package signing
