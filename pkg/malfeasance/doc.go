// Package malfeasance judges proofs that an identity broke the protocol in a way
// that cancels it for good (spec 04 §15–§16, spec 01 §13).
//
// Judge takes a proof as it came by gossip or sync to an Outcome: the verdict,
// what to store and whom to tell. It reads stored state through Reader and has a
// label of a proof of space verified through Posts.
//
// The second generation of proofs has no message on the network yet. Double
// marriages can be built and verified (marry.go); nothing may send them.
//
// Invariants:
//   - The first proof against an identity stays; a later valid one is accepted and
//     forgotten.
//   - A proof is valid or not whatever we think of the identity; only then we look
//     whether it is news.
//   - ATXs inside proofs lack whatever their sender left out: a proof that needs an
//     absent part is invalid.
package malfeasance
